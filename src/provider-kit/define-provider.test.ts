import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { defineProvider } from './define-provider.ts';

test('R-020 a provider that is printed or sent does not show its client secret, and still has it', () => {
  const provider = defineProvider({
    id: 'shop',
    name: 'Shop',
    baseUrl: 'https://shop.test',
    auth: [
      {
        type: 'oauth2',
        clientId: 'client',
        clientSecret: 'canary-secret',
        authorizationEndpoint: 'https://shop.test/authorize',
        tokenEndpoint: 'https://shop.test/token',
        scopes: [],
      },
    ],
    capabilities: {},
  });
  const [strategy] = provider.auth;
  expect(strategy?.type === 'oauth2' && strategy.clientSecret).toBe('canary-secret');
  expect(inspect(provider, { depth: 10 }) + JSON.stringify(provider)).not.toContain('canary-secret');
  expect(inspect(provider, { depth: 10, showHidden: false })).toContain('client');
});
