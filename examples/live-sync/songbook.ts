import type { Provider } from '@mca/core/provider-kit';
import { type FakeCapabilities, fakeProvider } from '@mca/core/testing';

/** Users' consents last half a year, whatever is refreshed meanwhile: as at Spotify. */
export const CONSENT_MS = 181 * 86_400_000;

/** A service nobody has to sign up for: the fake of `services.ts`, with a log-in page of its own. */
export function songbook({ url = 'http://127.0.0.1:8420' }): Provider<'songbook', FakeCapabilities> {
  return fakeProvider({
    id: 'songbook',
    baseUrl: `${url}/v1`,
    auth: [
      {
        type: 'oauth2',
        clientId: 'live-sync',
        authorizationEndpoint: `${url}/authorize`,
        tokenEndpoint: `${url}/token`,
        revocationEndpoint: `${url}/revoke`,
        scopes: ['plays'],
        authorizationLifetimeMs: CONSENT_MS,
      },
    ],
  });
}
