import { describe, expect, test } from 'vitest';
import { type AuthRig, type AuthRigOptions, authRig, storeConnection } from '../../test/support/auth-rig.ts';
import {
  ANA,
  approved,
  connect,
  connectedStep,
  failure,
  redirected,
  tokenCalls,
} from '../../test/support/connect-flows.ts';
import type { AuthStrategy } from '../contracts/auth.ts';
import { addConnection } from './add-connection.ts';
import { beginConnect, continueConnect } from './connect.ts';
import { disconnect } from './disconnect.ts';
import { Secret } from './secret.ts';

const UNKNOWN = 'invalid_data account_unknown';
const MISMATCH = 'invalid_data account_mismatch';
const who = { userId: 'ana', provider: 'fake' };

/** A rig whose service logs users in and does not say who they are. */
function silentRig(options: AuthRigOptions = {}): AuthRig {
  return authRig({ ...options, capabilities: { sessionCheck: undefined as never } });
}

const connectionsOf = (rig: AuthRig) => rig.registry.storage.listConnections({ userId: 'ana' });
const given = (rig: AuthRig) => ({ ...who, credentials: rig.oauth.grant(['read']) });

async function refreshTokenOf(rig: AuthRig, id: string): Promise<string | undefined> {
  const [connection] = await rig.registry.storage.listConnections({ id });
  if (!connection) throw new Error('The connection is gone.');
  return (await rig.stored(connection)).refreshToken?.reveal();
}

test('a connection made before anybody knew whose it is belongs to the first account that renews it', async () => {
  const rig = authRig();
  const nameless = { id: 'old', userId: 'ana', provider: 'fake', kind: 'api', account: '' } as const;
  await rig.registry.storage.ensureConnection(nameless);
  const renew = (account: string) => {
    rig.oauth.behaviour.account = account;
    return addConnection(rig.registry, { ...who, connectionId: 'old', credentials: rig.oauth.grant(['read']) });
  };
  await renew('ada');
  expect(await failure(renew('bea'))).toBe(MISMATCH);
  expect((await connectionsOf(rig))[0]?.label).toBe('User ada');
  await renew('ada');
});

describe('a service that does not say whose an account is', () => {
  test('a second account is refused before the user is sent anywhere', async () => {
    const rig = silentRig();
    const { connection } = await connect(rig);
    expect(connection.account).toBe('');
    rig.oauth.behaviour.account = 'bea';
    const before = rig.oauth.calls.length;
    const error = await beginConnect(rig.registry, ANA).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'invalid_data', reason: 'account_unknown', provider: 'fake' });
    expect((error as { hint: string }).hint).toContain('connectionId');
    expect(rig.oauth.calls).toHaveLength(before);
    expect(await refreshTokenOf(rig, connection.id)).toBe(rig.oauth.grants[0]?.refreshToken);
  });

  test('of two flows at once the second changes nothing', async () => {
    const rig = silentRig();
    const first = await approved(rig, await redirected(rig));
    rig.oauth.behaviour.account = 'bea';
    const second = await approved(rig, await redirected(rig));
    const answers = await Promise.all(
      [first, second].map((query) => continueConnect(rig.registry, { ...ANA, query }).catch(({ reason }) => reason)),
    );
    expect(answers.filter((answer) => answer === 'account_unknown')).toHaveLength(1);
    const [connection, ...more] = await connectionsOf(rig);
    expect(more).toEqual([]);
    const winner = answers[0] === 'account_unknown' ? 'bea' : 'ada';
    const grant = rig.oauth.grants.find(({ account }) => account === winner);
    expect(await refreshTokenOf(rig, connection?.id ?? '')).toBe(grant?.refreshToken);
    expect(rig.events.filter(({ type }) => type === 'connected' || type === 'reconnected')).toHaveLength(1);
  });

  test('so it is with credentials of the host, and with forms', async () => {
    const rig = silentRig();
    const { id } = await addConnection(rig.registry, given(rig));
    expect(await failure(addConnection(rig.registry, { ...given(rig), firstSync: 'new', label: 'x' }))).toBe(UNKNOWN);
    expect((await connectionsOf(rig))[0]).toMatchObject({ settings: {}, status: 'active' });
    expect((await connectionsOf(rig))[0]?.label).toBeUndefined();
    expect(await refreshTokenOf(rig, id)).toBe(rig.oauth.grants[0]?.refreshToken);
    const field = { name: 'token', label: 'Token', secret: true, kind: 'password' } as const;
    const form = silentRig({ auth: (): AuthStrategy[] => [{ type: 'form', fields: [field], sign: () => {} }] });
    const fields = { token: 'first' };
    const begun = [await beginConnect(form.registry, who), await beginConnect(form.registry, who)];
    const [one = '', two = ''] = begun.map((step) => ('state' in step ? step.state : ''));
    connectedStep(await continueConnect(form.registry, { ...who, state: one, fields }));
    expect(await failure(continueConnect(form.registry, { ...who, state: two, fields }))).toBe(UNKNOWN);
    expect(await failure(beginConnect(form.registry, who))).toBe(UNKNOWN);
  });

  test.each(['needs_reauth', 'disconnected'] as const)('one that is %s is connected again', async (status) => {
    const rig = silentRig();
    const { connection } = await connect(rig);
    if (status === 'disconnected') await disconnect(rig.registry, { userId: 'ana', connectionId: connection.id });
    else await rig.registry.storage.updateConnection(connection.id, { status, statusReason: 'revoked' });
    const again = await connect(rig);
    expect([again.connection.id, again.connection.status, again.isNew]).toEqual([connection.id, 'active', false]);
    expect(await refreshTokenOf(rig, connection.id)).toBe(rig.oauth.grants[1]?.refreshToken);
  });

  test('one that is switched off keeps its credentials', async () => {
    const rig = silentRig();
    const { connection } = await connect(rig);
    await rig.registry.storage.updateConnection(connection.id, { status: 'disabled' });
    expect(await failure(beginConnect(rig.registry, ANA))).toBe(UNKNOWN);
    expect(await failure(addConnection(rig.registry, given(rig)))).toBe(UNKNOWN);
  });

  test('one that never got its credentials gets them now', async () => {
    const rig = silentRig();
    const half = { id: 'half', ...who, kind: 'api', account: '' } as const;
    await rig.registry.storage.ensureConnection(half);
    expect((await connect(rig)).connection.id).toBe('half');
  });

  test('naming the connection connects it again, naming an account adds another', async () => {
    const rig = silentRig();
    const { connection } = await connect(rig);
    const again = await connect(rig, { connectionId: connection.id });
    expect([again.connection.id, again.isNew]).toEqual([connection.id, false]);
    expect(await refreshTokenOf(rig, connection.id)).toBe(rig.oauth.grants[1]?.refreshToken);
    const other = await connect(rig, { account: 'bea' });
    expect([other.connection.account, other.isNew]).toEqual(['bea', true]);
    const third = await addConnection(rig.registry, { ...given(rig), account: 'cleo' });
    expect(third.account).toBe('cleo');
    expect(await addConnection(rig.registry, { ...given(rig), connectionId: connection.id })).toMatchObject({
      id: connection.id,
    });
    expect((await connectionsOf(rig)).map(({ account }) => account)).toEqual(['', 'bea', 'cleo']);
    expect(await failure(addConnection(rig.registry, { ...given(rig), connectionId: third.id, account: 'bea' }))).toBe(
      MISMATCH,
    );
  });

  test('one without logins is found again', async () => {
    const rig = silentRig({ auth: () => [{ type: 'none' }] });
    const first = connectedStep(await beginConnect(rig.registry, who));
    const again = connectedStep(await beginConnect(rig.registry, who));
    expect([again.connection.id, again.isNew]).toEqual([first.connection.id, false]);
  });
});

describe('connecting a connection again by its id', () => {
  test('the same account renews it', async () => {
    const rig = authRig();
    const { connection } = await connect(rig);
    const again = await connect(rig, { connectionId: connection.id });
    expect([again.connection.id, again.isNew]).toEqual([connection.id, false]);
    expect(rig.events.map(({ type }) => type)).toContain('reconnected');
  });

  test('another account is refused, and nothing is changed', async () => {
    const rig = authRig();
    const { connection } = await connect(rig);
    const patch = { status: 'needs_reauth', statusReason: 'revoked' } as const;
    await rig.registry.storage.updateConnection(connection.id, patch);
    rig.oauth.behaviour.account = 'bea';
    expect(await failure(connect(rig, { connectionId: connection.id }))).toBe(MISMATCH);
    const others = { ...given(rig), connectionId: connection.id };
    expect(await failure(addConnection(rig.registry, others))).toBe(MISMATCH);
    expect(await connectionsOf(rig)).toEqual([{ ...connection, ...patch }]);
    expect(await refreshTokenOf(rig, connection.id)).toBe(rig.oauth.grants[0]?.refreshToken);
    rig.oauth.behaviour.account = 'ada';
    expect((await connect(rig, { connectionId: connection.id })).connection.status).toBe('active');
  });

  test('one whose account nobody knew takes the account the service names now, unless that is connected', async () => {
    const rig = authRig();
    const tokens = { kind: 'oauth', strategy: 'oauth2', scopes: ['read'], authorizedAt: 0 } as const;
    const old = await rig.registry.storage.ensureConnection({ id: 'old', ...who, kind: 'api', account: '' });
    expect((await connect(rig, { connectionId: old.id })).connection).toMatchObject({ id: 'old', account: '' });
    await storeConnection(rig.registry, { ...tokens, accessToken: new Secret('x') });
    const [, { account = '' } = {}] = await connectionsOf(rig);
    rig.oauth.behaviour.account = account;
    expect(await failure(connect(rig, { connectionId: old.id }))).toBe(MISMATCH);
  });

  test('of somebody else, of another provider, and of nobody there is none', async () => {
    const rig = authRig();
    const { connection } = await connect(rig);
    rig.registry.add({ ...rig.provider, id: 'other' });
    const before = tokenCalls(rig);
    const wrong = [{ userId: 'ben' }, { provider: 'other' }, { connectionId: 'nothing' }];
    for (const options of wrong) {
      const asked = { ...ANA, connectionId: connection.id, ...options };
      expect(await failure(beginConnect(rig.registry, asked))).toBe('not_found connection_unknown');
    }
    const files = { id: 'files', ...who, kind: 'file', account: '' } as const;
    await rig.registry.storage.ensureConnection(files);
    expect(await failure(addConnection(rig.registry, { ...given(rig), connectionId: 'files' }))).toBe(
      'not_found connection_unknown',
    );
    expect(tokenCalls(rig)).toBe(before);
  });

  test('one that is erased while its user is away is not made anew', async () => {
    const rig = authRig();
    const { connection } = await connect(rig);
    const query = await approved(rig, await redirected(rig, { connectionId: connection.id }));
    await rig.registry.storage.erase({ userId: 'ana', connectionId: connection.id });
    expect(await failure(continueConnect(rig.registry, { ...ANA, query }))).toBe('not_found connection_unknown');
    expect(await connectionsOf(rig)).toEqual([]);
  });
});
