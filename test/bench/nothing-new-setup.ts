import { existsSync, renameSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { addConnection, type Clock, createRegistry, keyRing, type RegistryOptions, syncHistory } from '@mca/core';
import { sqlite } from '@mca/core/adapters/sqlite';
import { FakeService, fakeProvider } from '@mca/core/testing';

/** The instant at which the history ends. */
export const NOW: number = Date.UTC(2026, 0, 5);
/** Plays that the service tells of. */
export const PLAYS_IN_OVERLAP = 50;
const MINUTE = 60_000;

/** A registry over a service that knows the last day of a history only. */
export function nothingNewSetup(
  adapter: (clock: Clock) => ReturnType<typeof sqlite>,
  now: () => number,
): RegistryOptions<[ReturnType<typeof fakeProvider>]> {
  const service = new FakeService({ now });
  service.add(
    'ada',
    ...Array.from({ length: PLAYS_IN_OVERLAP }, (_, index) => ({
      id: `recent-${String(index).padStart(2, '0')}`,
      playedAt: NOW - (index + 1) * 5 * MINUTE,
      title: `Recent song ${index}`,
      artist: 'Somebody',
    })),
  );
  const clock = { now, monotonic: () => performance.now() };
  return {
    providers: [fakeProvider({ baseUrl: 'https://service.test/v1' })],
    ...adapter(clock),
    keys: keyRing({ primary: 'k1', keys: { k1: Buffer.alloc(32, 7).toString('base64') } }),
    env: {
      clock,
      fetch: async (input, init) => {
        // The fake writes down all it is asked, which would be what grows.
        service.ledger.length = 0;
        return service.fetch(input, init);
      },
    },
  };
}

/** Makes a database with a connection that is up to date, and so many plays. Does nothing when it is there. */
export async function makeStored(path: string, plays: number): Promise<void> {
  if (existsSync(path)) return;
  const unfinished = `${path}.making`;
  for (const suffix of ['', '-wal', '-shm']) rmSync(unfinished + suffix, { force: true });
  const database = new DatabaseSync(unfinished);
  const registry = createRegistry(
    nothingNewSetup(
      (clock) => sqlite({ database, clock }),
      () => NOW,
    ),
  );
  const credentials = { fields: { token: 'token' } };
  await addConnection(registry, { userId: 'ada', provider: 'fake', credentials });
  const { counts } = await syncHistory(registry, { userId: 'ada', provider: 'fake' });
  if (counts.inserted !== PLAYS_IN_OVERLAP) throw new Error(`The first sync stored ${counts.inserted} plays.`);
  // Long ago, five minutes apart, in the order they happened.
  const insert = database.prepare(
    `INSERT INTO mca_items (user_no, platform, external_id, connection_no, title, creator, type, action, consumed_at, content_id, source,
       precision) VALUES (1, 'fake', ?, 1, ?, ?, 'music', 'consumed', ?, ?, 'plays', 'second')`,
  );
  database.exec('PRAGMA synchronous = OFF; BEGIN');
  const old = plays - PLAYS_IN_OVERLAP;
  for (let index = 0; index < old; index += 1) {
    const at = NOW - 30 * 86_400_000 - (old - index) * MINUTE;
    const id = `track-${(index * 7_919) % 50_000}`;
    insert.run(`${at / 1000}:${id}`, `Song ${id}`, `Artist ${index % 900}`, at, id);
  }
  // What we number by hand the store has to know of.
  database.exec(
    'UPDATE mca_counters SET sequence = (SELECT max(sequence) FROM mca_items); COMMIT; PRAGMA wal_checkpoint(TRUNCATE)',
  );
  await registry.close();
  database.close();
  renameSync(unfinished, path);
}
