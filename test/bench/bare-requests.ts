// The limit: fetch and JSON, one after the other or many at once. Arguments: origin, requests, requests in flight.
import { measure } from './harness.ts';
import { inFlight, WARM_UP } from './in-flight.ts';

const [origin = '', requests = '0', flying = '1'] = process.argv.slice(2);
let plays = 0;
const one = async (): Promise<void> => {
  const answer = await fetch(`${origin}/v1/plays?limit=50`, { headers: { authorization: 'Bearer token' } });
  const { plays: sent } = (await answer.json()) as { readonly plays: readonly unknown[] };
  plays += sent.length;
};
await inFlight(WARM_UP, Number(flying), one);
plays = 0;
await measure(
  () => inFlight(Number(requests), Number(flying), one),
  () => `${plays} plays`,
);
process.exit(0);
