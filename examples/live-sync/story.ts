// The whole life of a connection in a few seconds: connect, be killed, go on, lose the consent, connect again.
//   npm run example:live
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killAtPage, startHost } from './run-host.ts';
import { startServices } from './services.ts';
import { storedIds } from './stored-ids.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
const folder = mkdtempSync(join(tmpdir(), 'mca-live-sync-'));
const services = await startServices();
const settings = {
  database: join(folder, 'live-sync.db'),
  key: randomBytes(32).toString('base64'),
  isShown: true,
};

const say = (text: string): void => console.log(`${text}\n`);

say(`Songbook, a service on this machine, knows ${services.plays().length} plays of Ana.`);

say('1. Ana connects. In the middle of the first sync the process is killed (SIGKILL).');
const first = startHost(services, { ...settings, connect: true });
killAtPage(services, first, 30);
await first.ended;
say(`\n  Killed. Whole pages are stored: ${(await storedIds(settings.database)).length} plays.`);

say("2. Two minutes later, when the dead process's lease is over, it is started again, and goes on where it stopped.");
services.later(2 * MINUTE_MS);
await startHost(services, settings).ended;

say('3. A week later there is something new.');
services.later(7 * DAY_MS);
await startHost(services, settings).ended;

say("4. Half a year later Ana's consent has ended. Only she can give it again.");
services.later(182 * DAY_MS);
await startHost(services, settings).ended;

say('5. She connects again, and everything in between comes home.');
await startHost(services, { ...settings, connect: true }).ended;

const stored = await storedIds(settings.database);
const told = services.plays().length;
say(`Songbook tells of ${told} plays. Stored: ${stored.length}, of which ${new Set(stored).size} different.`);
await services.close();
rmSync(folder, { recursive: true, force: true });
if (stored.length !== told || new Set(stored).size !== told) process.exitCode = 1;
