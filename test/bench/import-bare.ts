// The limit: JSON.parse of each file and one prepared insert per row in one transaction, the same rows into the same table.
// Arguments: database, files…
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { sqlite } from '@mca/core/adapters/sqlite';
import { measure } from './harness.ts';
import { checksumOf } from './import-checksum.ts';

const [path = '', ...files] = process.argv.slice(2);
const database = new DatabaseSync(path);
await sqlite({ database }).storage.migrate();

interface Row {
  readonly ts: string;
  readonly ms_played: number;
  readonly master_metadata_track_name: string;
  readonly master_metadata_album_artist_name: string;
  readonly master_metadata_album_album_name: string;
  readonly spotify_track_uri: string;
  readonly reason_start: string;
  readonly reason_end: string;
  readonly skipped: boolean;
}

await measure(
  () => {
    const insert = database.prepare(
      `INSERT INTO mca_items (user_no, platform, external_id, connection_no, import_no, time_spent_ms, title, creator, type, subtype, action,
     consumed_at, duration_ms, tags, url, content_id, ids, rating, source, precision, account, raw_metadata)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    database.exec('BEGIN IMMEDIATE');
    for (const file of files) {
      for (const row of JSON.parse(readFileSync(file, 'utf8')) as Row[]) {
        const end = Date.parse(row.ts);
        const uri = row.spotify_track_uri;
        const id = uri.slice(14);
        const raw = row.skipped
          ? {
              album: row.master_metadata_album_album_name,
              reasonStart: row.reason_start,
              reasonEnd: row.reason_end,
              skipped: true,
            }
          : { album: row.master_metadata_album_album_name, reasonStart: row.reason_start, reasonEnd: row.reason_end };
        insert.run(
          1,
          'spotify',
          `${end / 1000}:${uri}`,
          1,
          1,
          row.ms_played,
          row.master_metadata_track_name,
          row.master_metadata_album_artist_name,
          'music',
          null,
          'consumed',
          end - row.ms_played,
          null,
          null,
          `https://open.spotify.com/track/${id}`,
          uri,
          `{"spotify":"${id}"}`,
          null,
          'extended-history',
          'second',
          null,
          JSON.stringify(raw),
        );
      }
    }
    database.exec('COMMIT');
  },
  () => checksumOf(database),
);
