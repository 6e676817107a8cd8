import type { AnyProvider } from '../contracts/provider.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { HttpState } from '../runtime/http/state.ts';

/** What HTTP clients of a registry share. */
export function httpStateOf(registry: AnyRegistry): HttpState {
  const { env, access } = registry;
  return access.slot('http', () => new HttpState({ env, limiter: access.limiter }));
}

/**
 * What time it is at a service: by the answers of its token endpoint, else by those of its API, else by the machine's
 * clock, which may be wrong.
 */
export function serviceNow(registry: AnyRegistry, provider: AnyProvider, tokenEndpoint: string): number {
  const { clocks } = httpStateOf(registry);
  const machine = registry.env.clock.now();
  const addresses = [tokenEndpoint, provider.baseUrl ?? tokenEndpoint];
  const told = addresses.map((address) => clocks.now(new URL(address).host));
  return told.find((now) => now !== machine) ?? machine;
}
