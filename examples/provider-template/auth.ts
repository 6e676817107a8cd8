import type { AuthStrategy } from '@mca/core/provider-kit';

/**
 * How users connect. Here: a token that they copy from their settings. For OAuth 2 the strategy is data, too:
 *
 *     { type: 'oauth2', clientId, authorizationEndpoint, tokenEndpoint, scopes: ['plays.read'] }
 *
 * Then take `clientId` in the factory's options. Logging in, refreshing and revoking are the core's.
 */
export const userToken: AuthStrategy = {
  type: 'form',
  fields: [
    {
      name: 'token',
      label: 'Token',
      secret: true,
      kind: 'password',
      help: 'https://my-service.example/settings/token',
    },
  ],
  // Adds to a request what proves who asks. The only place of a provider that sees a secret.
  sign: ({ headers }, { fields }) => headers.set('authorization', `Bearer ${fields.token ?? ''}`),
};
