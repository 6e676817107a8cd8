import { fakeProvider } from '@mca/core/testing';

/** The provider of Jukebox, a service on this machine with a strict limit. A real one stands in `providers/`. */
export function jukebox({ url, requestsPerSecond }: { readonly url: string; readonly requestsPerSecond: number }) {
  return fakeProvider({
    id: 'jukebox',
    baseUrl: `${url}/v1`,
    limits: [{ scope: 'app', requests: requestsPerSecond, perMs: 1_000 }],
  });
}
