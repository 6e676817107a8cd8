import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDice } from './dice.ts';

const ROWS_PER_FILE = 16_000;
/**
 * Writes an extended streaming history of `plays` different plays, in files of 16,000 rows; four in a thousand rows come twice.
 * Does nothing when the folder holds one of this size.
 *
 * @returns paths, oldest first
 */
export function generateHistory(folder: string, plays: number): readonly string[] {
  const list = () =>
    readdirSync(folder)
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
      .map((name) => join(folder, name));
  mkdirSync(folder, { recursive: true });
  if (list().length >= Math.ceil(plays / ROWS_PER_FILE)) return list();
  rmSync(folder, { recursive: true });
  mkdirSync(folder, { recursive: true });
  const { roll, below, id, words } = makeDice(20_261_121);
  const tracks = Array.from({ length: Math.max(10, plays / 10) }, () => ({
    uri: `spotify:track:${id(22)}`,
    name: words(2),
    artist: words(2),
    album: words(3),
    length: 90_000 + below(240_000),
  }));
  let time = Date.UTC(2012, 0, 1);
  let rows: unknown[] = [];
  let file = 0;
  const flush = () => {
    if (rows.length > 0) writeFileSync(join(folder, `Streaming_History_Audio_${file}.json`), JSON.stringify(rows));
    rows = [];
    file += 1;
  };
  for (let index = 0; index < plays; index += 1) {
    const track = tracks[Math.floor(tracks.length * roll() ** 2)] as (typeof tracks)[number];
    const skipped = roll() < 0.18;
    const played = skipped ? below(29_000) : track.length;
    // At least a second apart, so that no two plays share their key.
    time += 1_000 + played + below(4_000);
    const row = {
      ts: `${new Date(time).toISOString().slice(0, 19)}Z`,
      platform: 'ios',
      ms_played: played,
      conn_country: 'DE',
      ip_addr: '192.0.2.1',
      master_metadata_track_name: track.name,
      master_metadata_album_artist_name: track.artist,
      master_metadata_album_album_name: track.album,
      spotify_track_uri: track.uri,
      episode_name: null,
      episode_show_name: null,
      spotify_episode_uri: null,
      audiobook_title: null,
      audiobook_uri: null,
      audiobook_chapter_uri: null,
      audiobook_chapter_title: null,
      reason_start: 'trackdone',
      reason_end: skipped ? 'fwdbtn' : 'trackdone',
      shuffle: false,
      skipped,
      offline: false,
      offline_timestamp: null,
      incognito_mode: false,
    };
    rows.push(row);
    if (roll() < 0.004) rows.push(row);
    if (rows.length >= ROWS_PER_FILE) flush();
  }
  flush();
  return list();
}
