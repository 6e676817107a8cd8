import { setTimeout as sleep } from 'node:timers/promises';
import { addConnection, createRegistry, importFile, startScheduler } from '@mca/core';
import { spotify } from '@mca/core/providers/spotify';
import { FakeService, fakeProvider, seededRandom } from '@mca/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FaultStore, onPostgres, openFaultStore, setDatabaseClock } from '../support/fault-store.ts';
import { type MortalPostgres, mortalPostgres } from '../support/mortal-postgres.ts';
import { postgresServer } from '../support/postgres.ts';
import { realTime } from '../support/postgres-setup.ts';
import { recordFigure } from '../support/reliability.ts';
import { history, plays } from '../support/spotify-rows.ts';
import { referencePage } from './reference-pages.ts';

const isFull = process.env.MCA_TEST_FULL === '1';
// Only asked whether there is one: these tests kill servers of their own.
const server = await postgresServer();
const ROWS = 12_000;
const IMPORTS = isFull ? 10 : 1;
const SYNCS = isFull ? 5 : 1;

const LOST = { code: 'storage', reason: 'connection_lost', retryable: true };

describe.skipIf(!server)('a Postgres server that is killed and comes back', () => {
  let mortal: MortalPostgres;
  beforeAll(async () => {
    mortal = await mortalPostgres();
  });
  afterAll(() => mortal.remove());

  async function openFresh(): Promise<{ readonly where: string; readonly store: FaultStore }> {
    const where = onPostgres(mortal).fresh();
    const store = await openFaultStore(where);
    await store.storage.migrate();
    return { where, store };
  }

  async function countsOf({ look }: FaultStore): Promise<{ rows: number; ids: number; counted: number }> {
    const [row] = await look<{ rows: number; ids: number; counted: number }>(
      `SELECT count(*)::int AS rows, count(DISTINCT external_id)::int AS ids,
         (SELECT coalesce(sum(inserted), 0)::int FROM %imports) AS counted FROM %items`,
    );
    if (!row) throw new Error('unreachable');
    return row;
  }

  test(`R-070 it dies in the middle of ${IMPORTS} imports: what was answered is stored, the rest comes with the next run, once`, async () => {
    const random = seededRandom(70);
    const file = history(plays(0, ROWS));
    let midway = 0;
    for (let round = 0; round < IMPORTS; round += 1) {
      const { store } = await openFresh();
      const { storage, credentials } = store;
      const registry = createRegistry({ providers: [spotify()], storage, credentials });
      const killAt = Math.floor(random() * ROWS * 0.6);
      let dying: Promise<void> | undefined;
      let answered = 0;
      const noting = createRegistry({
        providers: [spotify()],
        credentials,
        storage: {
          ...storage,
          async commitPage(page) {
            // A moment later, which is in the middle of a page most often.
            if (answered >= killAt) dying ??= sleep(random() * 15).then(() => mortal.kill());
            const result = await storage.commitPage(page);
            answered += result.inserted;
            return result;
          },
        },
      });
      const first = await importFile(noting, { userId: 'ana', provider: 'spotify', file }).catch((error: unknown) => ({
        status: 'failed',
        error,
      }));
      expect(first).toMatchObject({ status: 'failed', error: LOST });
      await dying;
      await expect(storage.listConnections({})).rejects.toMatchObject(LOST);
      await mortal.start();
      const kept = await countsOf(store);
      // Of what was not answered the last page may be there or not; whole, and counted.
      expect(kept.rows).toBeGreaterThanOrEqual(answered);
      expect(kept).toEqual({ rows: kept.rows, ids: kept.rows, counted: kept.rows });
      if (kept.rows > 0 && kept.rows < ROWS) midway += 1;
      const again = await importFile(registry, { userId: 'ana', provider: 'spotify', file });
      expect(again).toMatchObject({ status: 'complete', counts: { read: ROWS, inserted: ROWS - kept.rows } });
      expect(await countsOf(store)).toEqual({ rows: ROWS, ids: ROWS, counted: ROWS });
      await store.close();
    }
    if (isFull) expect(midway).toBeGreaterThan(IMPORTS / 2);
    recordFigure(
      'R-070',
      `Postgres killed in ${IMPORTS} imports of ${ROWS} rows, ${midway} partly stored: 0 lost, 0 double`,
    );
  });

  test(`R-070 it dies in the middle of ${SYNCS} syncs: the scheduler goes on by itself when it is back`, async () => {
    for (let round = 0; round < SYNCS; round += 1) {
      const { where, store } = await openFresh();
      const service = new FakeService({
        now: () => Date.now(),
        maxLimit: 10,
        authorise: ({ headers }) => headers.get('authorization')?.replace('Bearer ', ''),
      });
      const ids = Array.from({ length: 400 }, (_, index) => `p${index}`);
      service.add('ada', ...ids.map((id, index) => ({ id, playedAt: index * 60_000, title: id })));
      let [requests, failures] = [0, 0];
      let dying: Promise<void> | undefined;
      const noteFailure = () => {
        failures += 1;
      };
      const registry = createRegistry({
        providers: [fakeProvider({ baseUrl: 'https://service.test/v1' })],
        storage: store.storage,
        credentials: store.credentials,
        insecurePlaintextForTests: true,
        env: {
          fetch: (input, init) => {
            const request = new Request(input, init);
            if (request.url.includes('/plays')) requests += 1;
            if (requests === 12 + 5 * round) dying ??= mortal.kill();
            return service.fetch(request);
          },
          logger: { debug() {}, info() {}, warn() {}, error: noteFailure },
        },
      });
      await addConnection(registry, { userId: 'ada', provider: 'fake', credentials: { fields: { token: 'ada' } } });
      const scheduler = startScheduler(registry, { everyMs: 20 });
      const until = async (isSo: () => boolean | Promise<boolean>) => {
        while (!(await isSo())) await sleep(10);
      };
      await until(() => dying !== undefined);
      await dying;
      await until(() => failures > 2);
      await mortal.start();
      const { rows } = await countsOf(store);
      expect(rows).toBeLessThan(400);
      // What it held when the server died runs out by the clock.
      await setDatabaseClock(where, realTime(120_000));
      await until(async () => (await countsOf(store)).rows === 400);
      await scheduler.stop();
      const stored = await store.look<{ readonly title: string }>('SELECT title FROM %items');
      expect(stored.map(({ title }) => title).sort()).toEqual(ids.sort());
      await registry.close();
      await store.close();
    }
    recordFigure('R-070', `Postgres killed in ${SYNCS} syncs: the scheduler went on, 0 lost, 0 double`);
  });

  test('R-070 a server that answers before it has written is caught', async () => {
    /** How much of what was answered is there after the server has died at once. */
    async function keptAfterDeath(settings: string): Promise<number> {
      const { where, store } = await openFresh();
      const { storage } = await openFaultStore(where, { settings });
      const { id } = await storage.ensureConnection({
        id: 'c',
        userId: 'ada',
        provider: 'x',
        kind: 'file',
        account: '',
      });
      const lease = await storage.acquireLease({ resource: 'r', owner: 'o', ttlMs: 60_000 });
      if (!lease) throw new Error('unreachable');
      const { inserted } = await storage.commitPage({
        lease,
        connectionId: id,
        items: referencePage(0),
        policy: 'keep',
      });
      await mortal.kill();
      expect(inserted).toBe(30);
      await mortal.start();
      const { rows } = await countsOf(store);
      await store.close();
      return rows;
    }
    expect(await keptAfterDeath('-c synchronous_commit=on')).toBe(30);
    // It writes every 200 ms whatever happens: that may be in time.
    let kept = 30;
    for (let tries = 0; kept === 30 && tries < 10; tries += 1) {
      kept = await keptAfterDeath('-c synchronous_commit=off');
    }
    expect(kept).toBe(0);
  });
});
