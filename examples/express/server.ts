// A small host app: connect services, import exports, look at your history.
//   npm run example:express
import { readSettings } from './settings.ts';
import { start } from './start.ts';

const settings = readSettings(process.env);
const running = await start(settings);
console.log(`Open ${running.url}  (Ctrl+C ends it; the history stays in ${settings.database})`);
if (running.demo) console.log(`The demo service is at ${running.demo.url}`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await running.close();
    process.exit(0);
  });
}
