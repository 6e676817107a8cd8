import { collectImport, fileOf } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { spotify } from './index.ts';

const now = Date.UTC(2026, 10, 21, 12);
const read = (name: string, ...rows: unknown[]) =>
  collectImport(spotify().capabilities.fileImport, [fileOf(name, JSON.stringify(rows))], { now });
const row = (overrides: Record<string, unknown> = {}) => ({
  ts: '2025-04-28T21:16:38Z',
  ms_played: 93_283,
  master_metadata_track_name: 'Falling in Lisbon',
  master_metadata_album_artist_name: 'Quiet Harbour',
  spotify_track_uri: 'spotify:track:4uLU6hMCjMI75M1A2tKUQC',
  ...overrides,
});
const minute = (overrides: Record<string, unknown> = {}) => ({
  endTime: '2024-03-01 18:04',
  artistName: 'Quiet Harbour',
  trackName: 'Falling in Lisbon',
  msPlayed: 183_000,
  ...overrides,
});

describe('dates that cannot be', () => {
  test.each(['2099-01-01T00:00:00Z', '1000-01-01T00:00:00Z', '2005-12-31T23:59:59Z', '2026-11-23T12:00:01Z'])(
    'ts %s is rejected',
    async (ts) => {
      const { items, rejected } = await read('endsong_0.json', row(), row({ ts }));
      expect(items).toHaveLength(1);
      expect(rejected).toMatchObject([{ record: 2, field: 'ts', reason: 'implausible_date' }]);
    },
  );

  test('48 hours ahead are allowed: clocks go wrong', async () => {
    expect((await read('endsong_0.json', row({ ts: '2026-11-23T12:00:00Z' }))).rejected).toEqual([]);
  });

  test('a play that began before Spotify has a wrong duration', async () => {
    const { rejected } = await read('endsong_0.json', row(), row({ ms_played: 1e12 }));
    expect(rejected).toMatchObject([{ record: 2, field: 'ms_played', reason: 'invalid_duration' }]);
  });

  test('account data', async () => {
    const { rejected } = await read('StreamingHistory0.json', minute(), minute({ endTime: '2099-01-01 00:00' }));
    expect(rejected).toMatchObject([{ record: 2, field: 'endTime', reason: 'implausible_date' }]);
  });
});

test('a row with a URI but no name is kept', async () => {
  const nameless = { master_metadata_track_name: null, master_metadata_album_artist_name: null };
  const { items, skipped } = await read(
    'endsong_0.json',
    row(nameless),
    row({ ...nameless, spotify_track_uri: null, spotify_episode_uri: 'spotify:episode:0000000000000000000007' }),
    row({ ...nameless, spotify_track_uri: null }),
  );
  expect(items.map(({ type, title, contentId }) => [type, title, contentId])).toEqual([
    ['music', 'Spotify track 4uLU6hMCjMI75M1A2tKUQC', 'spotify:track:4uLU6hMCjMI75M1A2tKUQC'],
    ['podcast', 'Spotify episode 0000000000000000000007', 'spotify:episode:0000000000000000000007'],
  ]);
  expect(skipped).toEqual({ no_content: 1 });
});

describe('texts that cannot be', () => {
  const long = 'x'.repeat(2_001);
  test.each(['master_metadata_track_name', 'master_metadata_album_artist_name'])('%s is too long', async (key) => {
    const { items, rejected } = await read('endsong_0.json', row(), row({ [key]: long }));
    expect(items).toHaveLength(1);
    expect(rejected).toMatchObject([{ record: 2, reason: 'too_long' }]);
  });

  test('account data', async () => {
    const { rejected } = await read('StreamingHistory0.json', minute(), minute({ trackName: long }));
    expect(rejected).toMatchObject([{ record: 2, reason: 'too_long' }]);
  });

  test('long details are dropped, the play is kept', async () => {
    const { items } = await read(
      'endsong_0.json',
      row({ master_metadata_album_album_name: long, reason_start: long, reason_end: 'trackdone' }),
    );
    expect(items[0]?.rawMetadata).toEqual({ reasonEnd: 'trackdone' });
  });
});
