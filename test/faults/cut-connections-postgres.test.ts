import { addConnection, createRegistry, importFile, syncHistory } from '@mca/core';
import { spotify } from '@mca/core/providers/spotify';
import { type ConnectionFault, FakeService, fakeProvider, faultProxy } from '@mca/core/testing';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { postgres } from '../../adapters/postgres/index.ts';
import { type CuttingProxy, cuttingProxy } from '../support/cutting-proxy.ts';
import { type FaultStore, onPostgres, openFaultStore } from '../support/fault-store.ts';
import { postgresServer } from '../support/postgres.ts';
import { recordFigure } from '../support/reliability.ts';
import { history, plays } from '../support/spotify-rows.ts';
import { changeOf } from './commit-mutants.ts';

const server = await postgresServer();
const isFull = process.env.MCA_TEST_FULL === '1';
const ROWS = isFull ? 9_000 : 4_500;
/** Each COMMIT has its turn, or every other one. */
const STEP = isFull ? 1 : 2;
/** As it goes over the wire; `READ COMMITTED` begins alike. */
const COMMIT = 'COMMIT\0';
const LOST = { code: 'storage', reason: 'connection_lost', retryable: true };
const MOMENTS = ['before', 'after'] as const;

describe.skipIf(!server)('connections to Postgres that break', () => {
  const url = server?.url ?? '';
  const place = onPostgres(server);
  let store: FaultStore;
  let proxy: CuttingProxy;
  beforeEach(async () => {
    const { hostname, port } = new URL(url);
    proxy = await cuttingProxy({ host: hostname, port: Number(port) });
  });
  afterEach(async () => {
    await store.close();
    await proxy.close();
    await place.clear();
  });

  /** A new store behind the proxy. */
  async function openBehind(change?: (statement: string) => string): Promise<FaultStore> {
    const behind = new URL(place.fresh());
    behind.hostname = '127.0.0.1';
    behind.port = `${proxy.port}`;
    const opened = await openFaultStore(behind.href, { change });
    await opened.storage.migrate();
    return opened;
  }

  test.for(MOMENTS)(
    'R-070 a connection cut %s each COMMIT in turn: the import that is run again doubles nothing',
    async (moment) => {
      const file = history(plays(0, ROWS));
      let [answers, stored, cut] = [0, 0, 0];
      for (let number = 1; ; number += STEP) {
        store = await openBehind();
        const { storage, credentials } = store;
        const registry = createRegistry({ providers: [spotify()], storage, credentials });
        const cutsBefore = proxy.cuts;
        proxy.cutAt(COMMIT, number, moment);
        const first = await importFile(registry, { userId: 'ana', provider: 'spotify', file }).catch(
          (error: unknown) => ({
            status: 'failed',
            error,
          }),
        );
        // There are no more.
        if (proxy.cuts === cutsBefore) {
          expect(first).toMatchObject({ status: 'complete' });
          break;
        }
        cut += 1;
        expect(first).toMatchObject({ status: 'failed', error: LOST });
        const [half] = await store.look<{ rows: number; counted: number }>(
          'SELECT count(*)::int AS rows, (SELECT coalesce(sum(inserted), 0)::int FROM %imports) AS counted FROM %items',
        );
        // Whole pages, with their totals.
        expect(half?.counted).toBe(half?.rows);
        if ('counts' in first) answers += first.counts.inserted;
        stored += half?.rows ?? 0;
        const again = await importFile(registry, { userId: 'ana', provider: 'spotify', file });
        expect(again).toMatchObject({ status: 'complete', counts: { read: ROWS, inserted: ROWS - (half?.rows ?? 0) } });
        expect(
          await store.look(
            `SELECT count(*)::int AS rows, count(DISTINCT external_id)::int AS ids,
             (SELECT sum(inserted)::int FROM %imports) AS counted FROM %items`,
          ),
        ).toEqual([{ rows: ROWS, ids: ROWS, counted: ROWS }]);
        await store.close();
      }
      expect(cut).toBeGreaterThan(3 / STEP);
      // Cut after COMMIT, a page is there that nobody was told of; cut before, none is.
      if (moment === 'after') expect(stored).toBeGreaterThan(answers);
      else expect(stored).toBe(answers);
      recordFigure('R-070', `Postgres, connection cut ${moment} each of ${cut} COMMITs of an import: 0 lost, 0 double`);
    },
  );

  test.for(MOMENTS)(
    'R-070 R-081 a connection cut %s each COMMIT in turn: the next sync goes on and doubles nothing',
    async (moment) => {
      const ids = Array.from({ length: 60 }, (_, index) => `p${index}`);
      let cut = 0;
      for (let number = 1; ; number += STEP) {
        store = await openBehind();
        const { storage, credentials } = store;
        const service = new FakeService({
          now: () => Date.now(),
          maxLimit: 10,
          authorise: ({ headers }) => headers.get('authorization')?.replace('Bearer ', ''),
        });
        service.add('ada', ...ids.map((id, index) => ({ id, playedAt: index * 60_000, title: id })));
        const registry = createRegistry({
          providers: [fakeProvider({ baseUrl: 'https://service.test/v1' })],
          storage,
          credentials,
          insecurePlaintextForTests: true,
          env: { fetch: service.fetch },
        });
        await addConnection(registry, { userId: 'ada', provider: 'fake', credentials: { fields: { token: 'ada' } } });
        const cutsBefore = proxy.cuts;
        proxy.cutAt(COMMIT, number, moment);
        const sync = () => syncHistory(registry, { userId: 'ada', provider: 'fake' });
        const first = await sync().catch((error: unknown) => ({ status: 'failed', error }));
        if (proxy.cuts === cutsBefore) {
          expect(first).toMatchObject({ status: 'complete' });
          break;
        }
        cut += 1;
        // The last COMMIT is that of the log and the next turn: all pages are there then, and who asked is told.
        if (first.status !== 'complete')
          expect(first).toMatchObject({ error: { reason: 'connection_lost', retryable: true } });
        const again = await sync();
        expect(again, `COMMIT ${number}`).toMatchObject({ status: 'complete' });
        const stored = await store.look<{ readonly title: string }>('SELECT title FROM %items');
        expect(stored.map(({ title }) => title).sort()).toEqual([...ids].sort());
        expect(await store.look('SELECT resource FROM %leases')).toEqual([]);
        await registry.close();
        await store.close();
      }
      expect(cut).toBeGreaterThan(5 / STEP);
      recordFigure('R-070', `Postgres, connection cut ${moment} each of ${cut} COMMITs of a sync: 0 lost, 0 double`);
    },
  );

  test('R-070 a store without a unique key, whose import is run again after such a cut, is caught', async () => {
    store = await openBehind(changeOf('no-unique-key', place.name));
    const { storage, credentials } = store;
    const registry = createRegistry({ providers: [spotify()], storage, credentials });
    const file = history(plays(0, ROWS));
    const run = () => importFile(registry, { userId: 'ana', provider: 'spotify', file });
    // That of the second page: before it come those of the connection, the lease and the first page.
    proxy.cutAt(COMMIT, 4, 'after');
    expect(await run()).toMatchObject({ status: 'failed', error: LOST });
    // The same longer: without the key, what comes again and wins is one row more.
    const longer = history(plays(0, ROWS).map((row) => ({ ...row, ms_played: 200_000 })));
    await importFile(registry, { userId: 'ana', provider: 'spotify', file: longer });
    const [row] = await store.look<{ surplus: number }>(
      'SELECT (count(*) - count(DISTINCT external_id))::int AS surplus FROM %items',
    );
    expect(row?.surplus).toBeGreaterThan(0);
  });

  const FAULTS: readonly ConnectionFault[] = ['reset', 'half-open', 'truncate', 'wrong-length', 'garbage'];

  test.for(FAULTS)(
    'R-089 connections that are broken by %s: a typed error, and the pool works again afterwards',
    async (fault) => {
      const where = new URL(place.fresh());
      store = await openFaultStore(where.href);
      await store.storage.migrate();
      const broken = await faultProxy({ targetPort: Number(where.port), fault });
      const pool = new pg.Pool({
        connectionString: url.replace(/127\.0\.0\.1:\d+|localhost:\d+/, new URL(broken.url).host),
        max: 2,
        connectionTimeoutMillis: 300,
      });
      pool.on('error', () => {});
      const { storage } = postgres({ pool, schema: where.hash.slice(1) });
      const request = { id: 'c', userId: 'ada', provider: 'spotify', kind: 'file' as const, account: '' };
      for (const verb of [() => storage.listConnections({}), () => storage.ensureConnection(request)]) {
        await expect(verb()).rejects.toMatchObject({ name: 'McaError', code: 'storage', retryable: true });
      }
      broken.fault = 'none';
      await storage.ensureConnection(request);
      expect(await storage.listConnections({})).toHaveLength(1);
      await pool.end();
      await broken.close();
    },
  );

  test.for(['trickle', 'delay'] as const)('R-089 connections that are slow by %s only take longer', async (fault) => {
    const where = new URL(place.fresh());
    store = await openFaultStore(where.href);
    await store.storage.migrate();
    const slow = await faultProxy({ targetPort: Number(where.port), fault, trickleMs: 0, delayMs: 30 });
    const pool = new pg.Pool({ connectionString: url.replace(/127\.0\.0\.1:\d+/, new URL(slow.url).host), max: 1 });
    const { storage } = postgres({ pool, schema: where.hash.slice(1) });
    expect(await storage.listConnections({})).toEqual([]);
    await pool.end();
    await slow.close();
  });
});
