// A small host app: connect services, import exports, look at your history.
//   npm run example:express
import { readSettings } from './settings.ts';
import { greeting, start, startFailure } from './start.ts';

try {
  const settings = readSettings(process.env);
  const running = await start(settings);
  for (const line of greeting(running, settings)) console.log(line);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, async () => {
      await running.close();
      process.exit(0);
    });
  }
} catch (error) {
  // What makes no sense is told in one line: where in the code it was found helps nobody.
  console.error(startFailure(error));
  process.exit(1);
}
