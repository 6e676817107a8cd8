// Reads one answer with the HTTP client, in a process whose memory is nobody else's. Answers what it cost, in KiB.
import { readFileSync } from 'node:fs';
import { makeEnv } from '../../src/runtime/env.ts';
import { createHttpClient } from '../../src/runtime/http/client.ts';
import { HttpState } from '../../src/runtime/http/state.ts';
import { anything, testProvider } from '../support/http-setup.ts';

const [origin = ''] = process.argv.slice(2);
const env = makeEnv({});
const provider = testProvider({ baseUrl: origin });
const client = createHttpClient({
  env,
  provider,
  connection: undefined,
  baseUrl: origin,
  guardedFetch: undefined,
  authoriser: undefined,
  state: new HttpState({ env }),
  emit: () => {},
  signal: new AbortController().signal,
});
const get = (path: string): Promise<unknown> => client.request({ path, operation: path, schema: anything });
const peakKiB = (): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);

// What an answer of lawful size costs is not what is asked here.
for (let round = 0; round < 3; round += 1) await get('lawful');
const before = peakKiB();
const reason = await get('bomb').then(
  () => 'read',
  (error: { readonly reason?: string }) => error.reason,
);
process.stdout.write(JSON.stringify({ reason, grownKiB: peakKiB() - before }));
