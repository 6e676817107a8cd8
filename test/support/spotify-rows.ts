import type { ImportFile } from '@mca/core';
import { fileOf } from '../../src/testing/import-files.ts';

const FIRST = Date.UTC(2020, 0, 1);

/** One row of an extended streaming history, the `index`-th play of somebody who hears a song every four minutes. */
export function play(index: number, overrides: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const track = String(index % 37).padStart(22, '0');
  return {
    ts: new Date(FIRST + index * 240_000).toISOString().replace('.000Z', 'Z'),
    ms_played: 180_000,
    master_metadata_track_name: `Song ${index % 37}`,
    master_metadata_album_artist_name: `Artist ${index % 7}`,
    master_metadata_album_album_name: 'Album',
    spotify_track_uri: `spotify:track:${track}`,
    reason_start: 'trackdone',
    reason_end: 'trackdone',
    incognito_mode: false,
    ...overrides,
  };
}

/** Plays `from` (included) to `to` (excluded). */
export function plays(from: number, to: number): Record<string, unknown>[] {
  return Array.from({ length: to - from }, (_, index) => play(from + index));
}

/** An extended streaming history with these rows. */
export function history(rows: readonly unknown[], name = 'Streaming_History_Audio_2020_0.json'): ImportFile {
  return fileOf(name, JSON.stringify(rows));
}

/** The account data of the same plays: to the minute, by name. */
export function accountData(rows: readonly Record<string, unknown>[]): ImportFile {
  return fileOf(
    'StreamingHistory_music_0.json',
    JSON.stringify(
      rows.map((row) => ({
        endTime: String(row.ts).slice(0, 16).replace('T', ' '),
        artistName: row.master_metadata_album_artist_name,
        trackName: row.master_metadata_track_name,
        msPlayed: row.ms_played,
      })),
    ),
  );
}
