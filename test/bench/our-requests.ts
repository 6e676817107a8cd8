// Contender: the HTTP client that providers get, for a provider that declares no limit. Arguments: origin, requests,
// requests in flight.
import { fakeProvider } from '@mca/core/testing';
import { makeEnv } from '../../src/runtime/env.ts';
import { createHttpClient } from '../../src/runtime/http/client.ts';
import { HttpState } from '../../src/runtime/http/state.ts';
import { measure } from './harness.ts';
import { inFlight, WARM_UP } from './in-flight.ts';
import { countedLimiters } from './no-limiters.ts';

const [origin = '', requests = '0', flying = '1'] = process.argv.slice(2);
const env = makeEnv({});
const { limiter, assertNone } = countedLimiters();
const provider = fakeProvider({ baseUrl: `${origin}/v1` });
const held = { account: 'ada', fields: {}, token: 'token', version: 1 };
const http = createHttpClient({
  env,
  provider,
  connection: { id: 'connection-1', userId: 'ada' },
  baseUrl: `${origin}/v1`,
  guardedFetch: undefined,
  authoriser: {
    current: async () => held,
    renew: async () => held,
    sign: ({ headers }, { token }) => headers.set('authorization', `Bearer ${token}`),
  },
  state: new HttpState({ env, limiter }),
  emit() {},
  signal: new AbortController().signal,
});
const schema = { '~standard': { version: 1, vendor: 'bench', validate: (value: unknown) => ({ value }) } } as const;
let plays = 0;
const one = async (): Promise<void> => {
  const answer = await http.request({ path: 'plays', operation: 'plays', query: { limit: 50 }, schema });
  plays += (answer as { readonly plays: readonly unknown[] }).plays.length;
};
await inFlight(WARM_UP, Number(flying), one);
plays = 0;
await measure(
  () => inFlight(Number(requests), Number(flying), one),
  () => `${plays} plays`,
);
assertNone();
process.exit(0);
