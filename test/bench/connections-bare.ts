// The limit: fetch each user's page and insert its rows, one transaction each. Arguments: database, origin, connections,
// requests in flight.
import { DatabaseSync } from 'node:sqlite';
import { sqlite } from '@mca/core/adapters/sqlite';
import { measure } from './harness.ts';
import { checksumOf } from './import-checksum.ts';
import { inFlight, WARM_UP } from './in-flight.ts';

const [path = '', origin = '', connections = '0', flying = '1'] = process.argv.slice(2);
const database = new DatabaseSync(path);
await sqlite({ database }).storage.migrate();

interface Page {
  readonly plays: readonly {
    readonly id: string;
    readonly played_at: number;
    readonly title: string;
    readonly artist: string;
  }[];
}

async function fetchPage(token: string): Promise<Page> {
  const answer = await fetch(`${origin}/v1/plays?limit=1000`, { headers: { authorization: `Bearer ${token}` } });
  return (await answer.json()) as Page;
}

await inFlight(WARM_UP, Number(flying), async () => void (await fetchPage('warm-up')));
const insert = database.prepare(
  `INSERT INTO mca_items (user_no, platform, external_id, connection_no, title, creator, type, action, consumed_at, content_id, source,
     precision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
);
await measure(
  () =>
    inFlight(Number(connections), Number(flying), async (index) => {
      const { plays } = await fetchPage(`user-${index}`);
      database.exec('BEGIN IMMEDIATE');
      for (const { id, played_at: at, title, artist } of plays) {
        const externalId = `${Math.floor(at / 1000)}:${id}`;
        insert.run(
          index + 1,
          'fake',
          externalId,
          index + 1,
          title,
          artist,
          'music',
          'consumed',
          at,
          id,
          'plays',
          'second',
        );
      }
      database.exec('COMMIT');
    }),
  () => checksumOf(database),
);
process.exit(0);
