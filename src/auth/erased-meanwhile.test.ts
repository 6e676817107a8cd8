import { beforeAll, describe, expect, test } from 'vitest';
import { type AuthRig, authRig } from '../../test/support/auth-rig.ts';
import { ANA, approved, connect, failure, redirected } from '../../test/support/connect-flows.ts';
import { eraseUser } from '../history/manage.ts';
import { addConnection } from './add-connection.ts';
import { beginConnect, continueConnect } from './connect.ts';

const GONE = 'not_found connection_unknown';
const ana = { userId: 'ana', provider: 'fake' };

beforeAll(() => Promise.all([import('ky'), import('oauth4webapi'), import('p-retry')]));

/** A rig in which the user is erased the first time the service is asked at an address. */
function erasedAt(path: 'token' | 'me'): AuthRig {
  let isDone = false;
  const rig: AuthRig = authRig({
    env: {
      async fetch(input, init) {
        const request = new Request(input, init);
        const answer = await rig.oauth.fetch(request);
        if (!isDone && new URL(request.url).pathname.endsWith(path)) {
          isDone = true;
          // After the service has answered: whatever is made of it is made afterwards.
          await eraseUser(rig.registry, { userId: 'ana' });
        }
        return answer;
      },
    },
  });
  return rig;
}

async function nothingLeft(rig: AuthRig): Promise<void> {
  expect(await rig.registry.storage.listConnections({ userId: 'ana' })).toEqual([]);
  for (const event of rig.events)
    if ('connectionId' in event) expect(await rig.adapter.credentials.get(event.connectionId ?? '')).toBeUndefined();
}

describe('a user who is erased while an account is connected', () => {
  test.each(['token', 'me'] as const)(
    'by the page of the service, at its address "%s": nothing stays, and the service is told',
    async (path) => {
      const rig = erasedAt(path);
      const query = await approved(rig, await redirected(rig));
      expect(await failure(continueConnect(rig.registry, { ...ANA, query }))).toBe(GONE);
      await nothingLeft(rig);
      expect(rig.oauth.grants.map(({ revoked }) => revoked)).toEqual([true]);
      // The user may come back.
      expect((await connect(rig)).isNew).toBe(true);
    },
  );

  test('with tokens of the host', async () => {
    const rig = erasedAt('me');
    expect(await failure(addConnection(rig.registry, { ...ana, credentials: rig.oauth.grant(['read']) }))).toBe(GONE);
    await nothingLeft(rig);
  });

  test('without any log-in', async () => {
    const rig: AuthRig = authRig({
      auth: () => [{ type: 'none' }],
      capabilities: { sessionCheck: undefined as never },
    });
    const { ensureConnection } = rig.registry.storage;
    Object.assign(rig.registry.storage, {
      async ensureConnection(...args: Parameters<typeof ensureConnection>) {
        await eraseUser(rig.registry, { userId: 'ana' });
        return ensureConnection(...args);
      },
    });
    expect(await failure(beginConnect(rig.registry, ana))).toBe(GONE);
    await nothingLeft(rig);
  });
});

test('another user who is erased changes nothing', async () => {
  const rig = authRig();
  const query = await approved(rig, await redirected(rig));
  const done = continueConnect(rig.registry, { ...ANA, query });
  await eraseUser(rig.registry, { userId: 'ben' });
  expect((await done).step).toBe('connected');
});

test('a store whose clock is a year ahead is no reason to take anything back', async () => {
  const rig = authRig();
  Object.assign(rig.registry.storage, { takeConnectState: async () => undefined });
  const credentials = rig.oauth.grant(['read']);
  expect(await addConnection(rig.registry, { ...ana, credentials })).toMatchObject({ status: 'active' });
});

test('what connects or fails leaves no watch behind', async () => {
  const rig = authRig();
  const puts: string[] = [];
  const taken: string[] = [];
  const { putConnectState, takeConnectState } = rig.registry.storage;
  Object.assign(rig.registry.storage, {
    putConnectState: (state: Parameters<typeof putConnectState>[0]) => {
      puts.push(state.hash);
      return putConnectState(state);
    },
    takeConnectState: (hash: string) => {
      taken.push(hash);
      return takeConnectState(hash);
    },
  });
  await connect(rig);
  await failure(continueConnect(rig.registry, { ...ANA, query: 'state=none' }));
  expect(puts.length).toBeGreaterThan(2);
  for (const hash of puts) expect(taken).toContain(hash);
});
