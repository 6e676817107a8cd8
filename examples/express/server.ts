// A small host app: connect services, import exports, look at your history.
//   npm run example:express
import { readSettings } from './settings.ts';
import { greeting, start } from './start.ts';

const settings = read();
const running = await start(settings);
for (const line of greeting(running, settings)) console.log(line);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await running.close();
    process.exit(0);
  });
}

/** A setting that makes no sense is told in one line: where in the code it was found helps nobody. */
function read() {
  try {
    return readSettings(process.env);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
