import type { Provider } from '@mca/core/provider-kit';
import { type FakeCapabilities, fakeProvider } from '@mca/core/testing';

/** Consents last half a year, whatever is refreshed meanwhile: as at Spotify. */
export const CONSENT_MS = 181 * 86_400_000;
export const CLIENT_ID = 'express-example';
const SCOPES = ['plays'];

/** The provider of the demo service. Real ones come from `@mca/core/providers/…`; this one has every way to connect. */
export function songbook(url: string): Provider<'songbook', FakeCapabilities> {
  const client = {
    clientId: CLIENT_ID,
    tokenEndpoint: `${url}/token`,
    revocationEndpoint: `${url}/revoke`,
    scopes: SCOPES,
    authorizationLifetimeMs: CONSENT_MS,
  };
  const provider = fakeProvider({
    id: 'songbook',
    baseUrl: `${url}/v1`,
    auth: [
      { type: 'oauth2', authorizationEndpoint: `${url}/authorize`, ...client },
      { type: 'device-code', deviceEndpoint: `${url}/device`, ...client },
      {
        type: 'form',
        fields: [
          { name: 'token', label: 'Token', secret: true, kind: 'password', help: `Make one at ${url}/your-token` },
        ],
        sign: ({ headers }, { fields }) => headers.set('authorization', `Bearer ${fields.token ?? ''}`),
      },
    ],
  });
  return { ...provider, name: 'Songbook (demo)' };
}
