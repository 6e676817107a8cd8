import { readFileSync } from 'node:fs';
import { addConnection, createRegistry, importFile, McaError, queryItems, syncHistory } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { fakeClock, fileImportConformance, fileOf, historyConformance } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { ACCOUNT, type FakePlay, FakeServer, refusal, TOKEN } from './__fixtures__/server.ts';
import { myService } from './index.ts';
import { itemOf } from './item.ts';

const NOW = Date.UTC(2026, 0, 10);
const T0 = NOW / 1_000 - 40 * 86_400;
const plays = (count: number): FakePlay[] =>
  Array.from({ length: count }, (_, index) => ({
    at: T0 + index * 180,
    artist: 'Quiet Harbour',
    track: `Song ${index}`,
  }));
const keyOf = ({ at, artist, track: title }: FakePlay): string =>
  itemOf({ at: at * 1_000, artist, title, seconds: undefined, source: 'account' }).externalId;

/** An account in which something is played during a walk. */
function growing() {
  const all = plays(35);
  const fetch: typeof globalThis.fetch = (...args) => new FakeServer(all).fetch(...args);
  const grow = () => {
    const play = { at: NOW / 1_000 + all.length - 34, artist: 'Quiet Harbour', track: `Later ${all.length}` };
    all.push(play);
    return [keyOf(play)];
  };
  return { fetch, grow };
}

// The suites prove every promise of a contract; their doc comments say what they need.
describe('history keeps its contract', () => {
  const answering = (answer: Response) => async () => answer.clone();
  const full = plays(35);
  const suite = historyConformance({
    provider: myService(),
    credentials: { account: ACCOUNT, fields: { token: TOKEN } },
    now: NOW,
    service: {
      full: new FakeServer(full).fetch,
      empty: new FakeServer().fetch,
      growing,
      withBadRecord: new FakeServer([
        { at: T0, artist: 'a', track: 'good' },
        { at: T0 + 9, artist: 'a', track: 'bad', raw: { started_at: 'yesterday', track: 'bad' } },
      ]).fetch,
    },
    expected: full.map((play) => ({ externalId: keyOf(play), consumedAt: new Date(play.at * 1_000) })),
    // The whole error table of the README.
    errors: [
      { title: 'a bad token', service: answering(refusal(401, 'token_invalid')), code: 'auth_expired' },
      {
        title: 'a private history',
        service: answering(refusal(403, 'history_private')),
        code: 'permission_denied',
        reason: 'private_history',
      },
      { title: 'a suspended account', service: answering(refusal(403, 'suspended')), code: 'permission_denied' },
      {
        title: 'an old page',
        service: answering(refusal(400, 'page_unknown')),
        code: 'invalid_data',
        reason: 'cursor_invalid',
      },
      {
        title: 'too many requests',
        service: answering(refusal(429, 'slow', { 'retry-after': '3600' })),
        code: 'rate_limit',
      },
      { title: 'a failing server', service: answering(new Response('<html>', { status: 502 })), code: 'upstream' },
    ],
  });
  for (const { id, title, skip, run } of suite) test.skipIf(skip)(`${id} ${title}`, run);
});

const export2024 = readFileSync(new URL('./__fixtures__/plays.csv', import.meta.url), 'utf8');

describe('file import keeps its contract', () => {
  const [header = '', ...rows] = export2024.trim().split('\n');
  const file = (...lines: string[]) => ({ name: 'plays.csv', content: [header, ...lines, ''].join('\n') });
  const suite = fileImportConformance({
    provider: myService(),
    exports: [{ name: 'plays.csv', content: export2024 }],
    withBadRecord: {
      ...file(...rows, 'yesterday,Quiet Harbour,Falling in Lisbon,212,Phone of Ana'),
      badValue: 'yesterday',
    },
    overlapping: [file(...rows.slice(0, 3)), file(...rows.slice(2))],
    personal: ['Phone of Ana'],
  });
  for (const { id, title, run } of suite) test(`${id} ${title}`, run);
});

// What only you know about the service is tested by you.
describe('through the public API', () => {
  const ana = { userId: 'ana', provider: 'my-service' } as const;
  const time = fakeClock(NOW);
  const registryOf = (server = new FakeServer()) =>
    createRegistry({
      providers: [myService()],
      ...memory({ clock: time.clock }),
      insecurePlaintextForTests: true,
      env: { clock: time.clock, timers: time.timers, fetch: server.fetch },
    });
  const connect = (registry: ReturnType<typeof registryOf>, token = TOKEN) =>
    time.until(addConnection(registry, { ...ana, credentials: { fields: { token } } }));

  test('connect, sync, sync again', async () => {
    const registry = registryOf(new FakeServer(plays(250)));
    expect(await connect(registry)).toMatchObject({ account: ACCOUNT, label: 'Ana', status: 'active' });
    expect(await time.until(syncHistory(registry, ana))).toMatchObject({
      status: 'complete',
      counts: { inserted: 250 },
    });
    expect((await time.until(syncHistory(registry, ana))).counts).toMatchObject({ inserted: 0, updated: 0 });
  });

  test('a wrong token is refused when connecting', async () => {
    await expect(connect(registryOf(), 'wrong')).rejects.toMatchObject({ code: 'auth_expired' });
  });

  test('a play that the file and the account tell of is one play', async () => {
    const inFile = { at: Date.UTC(2024, 4, 1, 20, 31, 7) / 1_000, artist: 'Quiet Harbour', track: 'Falling in Lisbon' };
    const registry = registryOf(new FakeServer([inFile, ...plays(1)]));
    await connect(registry);
    const source = fileOf('plays.csv', export2024);
    expect((await time.until(importFile(registry, { ...ana, file: source }))).counts.inserted).toBe(3);
    expect((await time.until(syncHistory(registry, ana))).counts.inserted).toBe(1);
    expect((await queryItems(registry, { userId: 'ana', resolve: 'all' })).items).toHaveLength(4);
  });

  test('advertisements are skipped unless the host wants them', async () => {
    const source = fileOf('plays.csv', export2024);
    const registry = registryOf();
    expect((await time.until(importFile(registry, { ...ana, file: source }))).skipped).toEqual({ ad: 1 });
    const all = { userId: 'rui', provider: 'my-service', file: source, options: { skip: { ads: false } } } as const;
    expect((await time.until(importFile(registry, all))).counts).toMatchObject({ read: 4, inserted: 4 });
  });

  test('columns may stand in any order; a play of the year 2099 is rejected', async () => {
    const lines = [
      'Track,Seconds,"Played At",Artist',
      'Away,,2024-05-01 20:31:07,Salt Lanterns',
      'Home,9,2099-05-01 20:31:07,x',
    ];
    const registry = registryOf();
    const source = fileOf('mine.csv', lines.join('\n'));
    expect((await time.until(importFile(registry, { ...ana, file: source }))).counts).toMatchObject({
      inserted: 1,
      rejected: 1,
    });
    const [item] = (await queryItems(registry, { userId: 'ana' })).items;
    expect(item).toMatchObject({ title: 'Away', creator: 'Salt Lanterns' });
    expect(item?.timeSpentMs).toBeUndefined();
  });

  test('a foreign file is refused with a hint', async () => {
    const importing = importFile(registryOf(), { ...ana, file: fileOf('x.csv', 'a,b\n1,2\n') });
    await expect(time.until(importing)).rejects.toSatisfy(
      (error) => McaError.isInstance(error) && error.reason === 'unknown_format' && error.hint !== undefined,
    );
  });
});
