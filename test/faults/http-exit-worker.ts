/**
 * Makes requests that hang in every way, ends them, and should leave nothing that keeps the process alive. Argument: the
 * port of a server that never answers. Prints what is left when all calls are over.
 */
import { systemClock, systemFetch, systemRandom, systemTimers } from '../../src/runtime/env.ts';
import { createHttpClient } from '../../src/runtime/http/client.ts';
import { HttpState } from '../../src/runtime/http/state.ts';
import { anything, testProvider } from '../support/http-setup.ts';

const [, , port = '', mode = 'abort'] = process.argv;
const silent = (): void => {};
const env = {
  clock: systemClock,
  timers: systemTimers,
  random: systemRandom,
  logger: { debug: silent, info: silent, warn: silent, error: silent },
  fetch: systemFetch,
};
const baseUrl = `http://127.0.0.1:${port}`;
const state = new HttpState({ env });
const controller = new AbortController();
const provider = testProvider({
  baseUrl,
  limits: [
    { scope: 'app', requests: 2, perMs: 600_000, concurrency: 2 },
    { scope: 'connection', requests: 1, perMs: 600_000 },
  ],
});
const calls = Array.from({ length: 20 }, (_, index) =>
  createHttpClient({
    env,
    provider,
    connection: { id: `c${index}`, userId: 'ana' },
    baseUrl,
    guardedFetch: undefined,
    authoriser: undefined,
    state,
    emit: silent,
    signal: controller.signal,
  })
    .request({ path: 'x', operation: 'x', schema: anything })
    .catch((error: { code: string }) => error.code),
);
await new Promise((wake) => setTimeout(wake, 200));
if (mode === 'abort') controller.abort();
const codes = await Promise.all(calls);
state.close();
const handles = (): readonly string[] =>
  process.getActiveResourcesInfo().filter((each) => /Timeout|TCPSocket|TLS/.test(each));
let left = handles();
// Sockets close some turns of the event loop later. No timer of our own, which would be one of what is counted.
for (const end = performance.now() + 900; left.length > 0 && performance.now() < end; left = handles()) {
  await new Promise((wake) => setImmediate(wake));
}
process.stdout.write(`${JSON.stringify({ codes: [...new Set(codes)], left })}\n`);
