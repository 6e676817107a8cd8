import { type Cursor, createRegistry, syncHistory } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { fakeProvider, seededRandom } from '@mca/core/testing';
import { expect, test } from 'vitest';
import { changedCursor } from '../support/cursors.ts';
import { DAY, HOUR, liveSetup, playsBefore, START, seededBytes, storedTitles } from '../support/live-setup.ts';
import { recordFigure } from '../support/reliability.ts';

const CASES = process.env.MCA_TEST_FULL === '1' ? 1_000 : 100;

/** What may happen to a cursor on its way through a database, a backup, a bug or another release. */
const DAMAGES: Readonly<Record<string, (text: string, random: () => number) => string>> = {
  'a flipped bit': (text, random) => {
    const at = Math.floor(random() * text.length);
    const flipped = String.fromCharCode(text.charCodeAt(at) ^ (1 << Math.floor(random() * 7)));
    return text.slice(0, at) + flipped + text.slice(at + 1);
  },
  'cut off': (text, random) => text.slice(0, Math.floor(random() * text.length)),
  'of another provider': (text) => changedCursor(text, { provider: 'other' }),
  'of another capability': (text) => changedCursor(text, { capability: 'library' }),
  'of a newer release': (text) => changedCursor(text, { v: 2 }),
  'of nonsense': (_, random) => String(random()),
};

test(`R-073 ${CASES} damaged cursors: the sync falls back, and neither loses anything nor begins from nothing`, async () => {
  const random = seededRandom(73);
  const kinds = Object.keys(DAMAGES);
  let mostRead = 0;
  for (let round = 0; round < CASES; round += 1) {
    const kind = kinds[round % kinds.length] ?? '';
    const { service, registry, sync, time, connection } = await liveSetup();
    service.add('ada', ...playsBefore(START, 300));
    await sync();
    await time.advance(2 * HOUR);
    service.add('ada', { id: 'new', playedAt: START + HOUR, title: 'new' });
    const good = await registry.storage.readCursors(connection.id, 'history');
    // All five, or only the newest: what is left of the store still says where to go on.
    const damagedOnes = round % 2 === 0 ? good.length : 1;
    const damage = DAMAGES[kind] ?? String;
    const cursors = good.map((cursor, index) => (index < damagedOnes ? (damage(cursor, random) as Cursor) : cursor));
    const { readCursors } = registry.storage;
    Object.assign(registry.storage, {
      readCursors: async (id: string, track: string) => (track === 'history' ? cursors : readCursors(id, track)),
    });
    service.ledger.length = 0;
    const report = await sync();
    expect(report.status, kind).toBe('complete');
    expect(await storedTitles(registry), kind).toHaveLength(301);
    mostRead = Math.max(mostRead, report.counts.read);
  }
  // Two weeks of the deep pass at most, and one play an hour.
  expect(mostRead).toBeLessThanOrEqual(301);
  recordFigure('R-073', `${CASES} damaged cursors of ${kinds.length} kinds: 0 crashes, 0 items lost`);
});

/** Where a sync may stand when its cursors are found damaged, and how the service is walked. */
const STANDS = {
  'newest first, at the end of a walk': { isWindow: true, pages: undefined, tracks: ['history'] },
  'oldest first without a bound, mid-walk': { isWindow: false, backfill: false, pages: 3, tracks: ['history'] },
  'oldest first, in the middle of old history': { isWindow: false, pages: 6, tracks: ['history:backfill'] },
  'both tracks, in the middle of old history': { isWindow: false, pages: 6, tracks: ['history', 'history:backfill'] },
} as const;

for (const [where, stand] of Object.entries(STANDS)) {
  test(`R-073 damaged cursors, ${where}: nothing is lost`, async () => {
    const random = seededRandom(730);
    const kinds = Object.keys(DAMAGES);
    let rounds = 0;
    for (const kind of kinds)
      for (const isAll of [true, false]) {
        const count = stand.isWindow ? 40 : 200;
        const { service, registry, sync, time, connection } = await liveSetup(
          stand.isWindow
            ? { provider: { window: true }, service: { window: 50 } }
            : {
                service: { maxLimit: 10 },
                provider: { overlapMs: 5 * HOUR, ...('backfill' in stand && { history: { backfill: false } }) },
              },
        );
        // Old history lies behind the fortnight that the walk through what is new looks back at.
        service.add('ada', ...playsBefore(stand.isWindow ? START : START - 30 * DAY, count));
        await sync({ maxPages: stand.pages });
        expect((await storedTitles(registry)).length < count).toBe(stand.pages !== undefined);
        const { readCursors } = registry.storage;
        const damaged = new Map<string, Cursor>();
        for (const track of stand.tracks) {
          const good = await readCursors(connection.id, track);
          expect(good.length, track).toBeGreaterThan(0);
          for (const cursor of isAll ? good : good.slice(0, 1))
            damaged.set(cursor, (DAMAGES[kind] ?? String)(cursor, random) as Cursor);
        }
        Object.assign(registry.storage, {
          readCursors: async (id: string, track: string) =>
            (await readCursors(id, track)).map((cursor) => damaged.get(cursor) ?? cursor),
        });
        await time.advance(2 * HOUR);
        service.add('ada', { id: 'new', playedAt: START + HOUR, title: 'new' });
        for (let report = await sync(); report.hasMore; report = await sync()) expect(report.status).toBe('complete');
        const titles = await storedTitles(registry);
        expect(new Set(titles).size, `${kind}, ${isAll ? 'all' : 'one'}`).toBe(count + 1);
        expect(titles).toHaveLength(count + 1);
        rounds += 1;
      }
    recordFigure('R-073', `${rounds} times ${where}: 0 items lost or doubled`);
  });
}

test('R-074 page tokens that run out between two runs: nothing lost, one window read again', async () => {
  const { service, registry, sync, time } = await liveSetup({
    service: { maxLimit: 10, pageTokenLifetimeMs: HOUR },
    provider: { overlapMs: 5 * HOUR },
  });
  service.add('ada', ...playsBefore(START - 30 * DAY, 200));
  let runs = 0;
  for (let report = await sync({ maxPages: 6 }); report.hasMore; report = await sync({ maxPages: 6 })) {
    runs += 1;
    expect(runs).toBeLessThan(200);
    // Every token the run before left behind is dead now.
    await time.advance(2 * HOUR);
  }
  expect(await storedTitles(registry)).toHaveLength(200);
  const sent = service.ledger.flatMap(({ sent: ids }) => ids);
  const again = sent.length - new Set(sent).size;
  expect(service.ledger.filter(({ status }) => status === 400).length).toBeGreaterThan(3);
  // Each run that lost its token reads the overlap again, five plays here, and the page it stood on.
  expect(again / runs).toBeLessThanOrEqual(15);
  recordFigure(
    'R-074',
    `${runs} runs whose page token had run out: 0 lost, ${(again / runs).toFixed(1)} items read again each`,
  );
});

test('R-075 plays that the service tells late are found: within the window at once, beyond it by the deep pass', async () => {
  const { service, registry, sync, time } = await liveSetup({ provider: { overlapMs: DAY } });
  const random = seededRandom(75);
  await sync();
  const late: { readonly title: string; readonly lateMs: number }[] = [];
  for (let hour = 1; hour <= 40 * 24; hour += 4) {
    const playedAt = START + hour * HOUR;
    const lateMs = Math.floor(random() * (hour % 8 === 1 ? DAY - 4 * HOUR : 6 * DAY));
    const title = `late ${hour}`;
    service.add('ada', { id: title, playedAt, title, visibleFrom: playedAt + lateMs });
    // Something else is heard all the time, so that the mark moves on.
    service.add('ada', { id: `on time ${hour}`, playedAt, title: `on time ${hour}` });
    late.push({ title, lateMs });
    await time.advance(4 * HOUR);
    await sync();
    const inWindow = late.filter(({ lateMs: ms }, index) => ms < DAY - 4 * HOUR && index < late.length - 6);
    const titles = new Set(await storedTitles(registry));
    for (const { title: each } of inWindow) expect(titles, each).toContain(each);
  }
  await time.advance(8 * DAY);
  await sync();
  const titles = new Set(await storedTitles(registry));
  const missed = late.filter(({ title }) => !titles.has(title));
  expect(missed).toEqual([]);
  const beyond = late.filter(({ lateMs }) => lateMs > DAY).length;
  expect(beyond).toBeGreaterThan(20);
  recordFigure(
    'R-075',
    `${late.length - beyond} plays up to a day late: 0 missed by the next sync; ${beyond} up to 6 days late: 0 missed by the deep pass`,
  );
});

test('R-076 a play dated 2038 is stored and told, and does not hide what happens afterwards', async () => {
  for (const window of [false, true]) {
    const { service, registry, sync, time } = await liveSetup(
      window ? { provider: { window }, service: { window: 50 } } : {},
    );
    service.add('ada', ...playsBefore(START, 5), {
      id: 'future',
      playedAt: Date.UTC(2038, 0, 19),
      title: 'future',
      visibleFrom: START,
    });
    const first = await sync();
    expect(first).toMatchObject({ status: 'complete', futureDated: 1, counts: { inserted: 6 } });
    for (let day = 1; day <= 10; day += 1) {
      await time.advance(DAY);
      service.add('ada', { id: `day-${day}`, playedAt: START + day * DAY - HOUR, title: `day ${day}` });
      expect((await sync()).counts.inserted).toBe(1);
    }
    expect(await storedTitles(registry)).toHaveLength(16);
  }
  recordFigure('R-076', 'one play dated 2038, ten days of syncs after it: 0 missed');
});

test('a mark never goes back: clocks that do find everything still', async () => {
  const { service, registry, sync, time } = await liveSetup();
  service.add('ada', ...playsBefore(START, 10));
  await sync();
  time.step(-2 * DAY);
  expect((await sync()).status).toBe('complete');
  time.step(2 * DAY);
  await time.advance(HOUR);
  service.add('ada', { id: 'new', playedAt: START, title: 'new' });
  await sync();
  expect(await storedTitles(registry)).toHaveLength(11);
});

test('a registry made anew goes on where the one before stood', async () => {
  const { service, registry, time, sync } = await liveSetup();
  service.add('ada', ...playsBefore(START, 30));
  await sync();
  const { storage, credentials } = registry;
  const again = createRegistry({
    providers: [fakeProvider({ baseUrl: 'https://service.test/v1' })],
    ...{ ...memory(), storage, credentials },
    insecurePlaintextForTests: true,
    env: { clock: time.clock, timers: time.timers, fetch: service.fetch, random: seededBytes(2) },
  });
  service.ledger.length = 0;
  const report = await time.until(syncHistory(again, { userId: 'ada', provider: 'fake' }));
  expect(report).toMatchObject({ status: 'complete', counts: { inserted: 0 } });
  expect(service.ledger).toHaveLength(1);
});
