import { describe, expect, test } from 'vitest';
import { type AuthRig, anything, authRig, storeConnection } from '../../test/support/auth-rig.ts';
import { openContext } from './connection-context.ts';
import { disconnect } from './disconnect.ts';
import { Secret } from './secret.ts';
import { vaultOf } from './vault.ts';

const never = new AbortController().signal;
const MINUTE = 60_000;

/** Counts how often the store is asked for credentials from now on. */
function countReads({ adapter }: AuthRig): () => number {
  let reads = 0;
  const { get } = adapter.credentials;
  Object.assign(adapter.credentials, {
    get: (id: string) => {
      reads += 1;
      return get(id);
    },
  });
  return () => reads;
}

async function contextOf(rig: AuthRig, connection: Parameters<typeof openContext>[1]) {
  const context = await rig.time.until(openContext(rig.registry, connection, never));
  const { me } = rig.oauth.endpoints();
  return () => rig.time.until(context.http.request({ path: me, operation: 'me', schema: anything }));
}

describe('opened credentials', () => {
  test('are opened once for all requests of half a minute, and then again', async () => {
    const rig = authRig();
    const connection = await rig.connected();
    const reads = countReads(rig);
    const ask = await contextOf(rig, connection);
    for (let request = 0; request < 5; request += 1) await ask();
    expect(reads()).toBe(1);
    await rig.time.advance(30_000);
    await ask();
    await ask();
    expect(reads()).toBe(2);
    // A wall clock that is set back keeps nothing longer.
    rig.time.step(-60 * MINUTE);
    await rig.time.advance(30_000);
    await ask();
    expect(reads()).toBe(3);
  });

  test('of a key that lasts are kept the same way', async () => {
    let signed = 0;
    const sign = (): void => {
      signed += 1;
    };
    const rig = authRig({
      auth: () => [
        { type: 'host-supplied', fields: [{ name: 'key', label: 'Key', kind: 'text', secret: true }], sign },
      ],
      env: { fetch: async () => Response.json({}) },
    });
    const credentials = { kind: 'fields', strategy: 'host-supplied', fields: { key: new Secret('k') } } as const;
    const connection = await storeConnection(rig.registry, credentials);
    const reads = countReads(rig);
    const ask = await contextOf(rig, connection);
    await ask();
    await ask();
    expect([reads(), signed]).toEqual([1, 2]);
    await rig.time.advance(30_000);
    await ask();
    expect([reads(), signed]).toEqual([2, 3]);
  });

  test('serve nobody any more once the user let the connection go', async () => {
    const rig = authRig();
    const connection = await rig.connected();
    const ask = await contextOf(rig, connection);
    await ask();
    const calls = rig.oauth.calls.filter(({ endpoint }) => endpoint === 'me').length;
    await rig.time.until(disconnect(rig.registry, { userId: connection.userId, connectionId: connection.id }));
    await expect(ask()).rejects.toMatchObject({ code: 'auth_expired' });
    expect(rig.oauth.calls.filter(({ endpoint }) => endpoint === 'me')).toHaveLength(calls);
  });

  test('of one server never go to another', async () => {
    const sent: string[] = [];
    const rig = authRig({
      auth: () => [
        {
          type: 'host-supplied',
          fields: [
            { name: 'url', label: 'Address', kind: 'url', secret: false },
            { name: 'key', label: 'Key', kind: 'text', secret: true },
          ],
          sign: ({ headers }, { fields }) => headers.set('x-key', fields.key ?? ''),
        },
      ],
      guardedFetch: async (input, init) => {
        const request = new Request(input, init);
        sent.push(`${new URL(request.url).host} ${request.headers.get('x-key')}`);
        return Response.json({});
      },
    });
    const filled = (url: string, key: string) =>
      ({ kind: 'fields', strategy: 'host-supplied', fields: { url: new Secret(url), key: new Secret(key) } }) as const;
    const connection = await storeConnection(rig.registry, filled('https://old.example', 'old'));
    const { http } = await rig.time.until(openContext(rig.registry, connection, never));
    const here = () => rig.time.until(http.request({ path: 'plays', operation: 'plays', schema: anything }));
    await here();
    await vaultOf(rig.registry).overwrite(connection, filled('https://new.example', 'new'));
    await rig.time.advance(31_000);
    await expect(here()).rejects.toMatchObject({ code: 'upstream', reason: 'address_changed' });
    expect(sent).toEqual(['old.example old']);
  });

  test('that the service refuses are read again at once: somebody else may have stored better ones', async () => {
    const rig = authRig();
    const connection = await rig.connected();
    const ask = await contextOf(rig, connection);
    await ask();
    const newer = rig.oauth.grant(['read']);
    const stored = await rig.stored(connection);
    await vaultOf(rig.registry).overwrite(connection, {
      ...stored,
      accessToken: new Secret(newer.accessToken),
      refreshToken: new Secret(newer.refreshToken),
    });
    const [first] = rig.oauth.grants;
    if (first) first.revoked = true;
    const calls = rig.oauth.calls.length;
    expect(await ask()).toMatchObject({ id: expect.any(String) });
    expect(rig.oauth.calls.slice(calls).map(({ endpoint }) => endpoint)).toEqual(['me', 'me']);
    expect(rig.events.filter(({ type }) => type === 'reauth_required')).toEqual([]);
  });

  test('of a token that is about to end are read again, whoever refreshed it', async () => {
    const rig = authRig({ oauth: { accessLifetimeMs: 10 * MINUTE } });
    const beside = authRig({ beside: rig, oauth: { accessLifetimeMs: 10 * MINUTE } });
    const connection = await rig.connected();
    const ask = await contextOf(rig, connection);
    // It is replaced a minute before its end. This is just before, and what is read now would serve past it.
    await rig.time.advance(8 * MINUTE + 50_000);
    await ask();
    await rig.time.advance(15_000);
    await (await contextOf(beside, connection))();
    expect(beside.events.map(({ type }) => type)).toContain('token_refreshed');
    const calls = rig.oauth.calls.length;
    await ask();
    const { accessToken } = await rig.stored(connection);
    expect(rig.oauth.calls.slice(calls)).toMatchObject([
      { endpoint: 'me', authorization: `Bearer ${accessToken.reveal()}` },
    ]);
    expect(rig.events.map(({ type }) => type)).not.toContain('token_refreshed');
  });

  test('that were taken away serve for half a minute at most', async () => {
    const rig = authRig();
    const connection = await rig.connected();
    const ask = await contextOf(rig, connection);
    await ask();
    await vaultOf(rig.registry).delete(connection.id);
    await rig.time.advance(30_000);
    await expect(ask()).rejects.toMatchObject({ code: 'auth_expired', reason: 'not_connected' });
  });
});
