import { expect, test } from 'vitest';
import { authRig } from '../../test/support/auth-rig.ts';
import { connect } from '../../test/support/connect-flows.ts';
import { missingScopesOf, tellMissingScopes } from './missing-scopes.ts';

test('the host hears which scopes a capability lacks', async () => {
  const rig = authRig({ oauth: { grantedScopes: ['read'] }, strategy: { scopes: ['read', 'plays', 'likes'] } });
  const { connection } = await connect(rig);
  const missing = missingScopesOf(connection, ['plays', 'read', 'likes']);
  expect(missing).toEqual(['plays', 'likes']);
  tellMissingScopes(rig.registry, connection, 'history', missing);
  tellMissingScopes(rig.registry, connection, 'library', missingScopesOf(connection, ['read']));
  tellMissingScopes(rig.registry, connection, 'ratings', missingScopesOf(connection));
  expect(rig.events.filter(({ type }) => type === 'scopes_missing')).toEqual([
    {
      type: 'scopes_missing',
      connectionId: connection.id,
      userId: 'ana',
      provider: 'fake',
      capability: 'history',
      missing: ['plays', 'likes'],
    },
  ]);
});
