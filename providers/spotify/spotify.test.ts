import { collectImport, fileImportConformance, fileOf, type ImportFixture, makeZip } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { recordFigure } from '../../test/support/reliability.ts';
import { type SpotifyImportOptions, spotify } from './index.ts';

const importer = spotify().capabilities.fileImport;
const read = (name: string, rows: unknown, options?: SpotifyImportOptions) =>
  collectImport(importer, [fileOf(name, typeof rows === 'string' ? rows : JSON.stringify(rows))], { options });

/** A row as Spotify writes it: all keys there, null where they do not apply. */
const row = (overrides: Record<string, unknown> = {}) => ({
  ts: '2025-04-28T21:16:38Z',
  platform: 'Android OS 14 API 34 (Phone of Ana)',
  ms_played: 93_283,
  conn_country: 'PT',
  ip_addr: '192.0.2.77',
  master_metadata_track_name: 'Falling in Lisbon',
  master_metadata_album_artist_name: 'Quiet Harbour',
  master_metadata_album_album_name: 'Golden Glass',
  spotify_track_uri: 'spotify:track:4uLU6hMCjMI75M1A2tKUQC',
  episode_name: null,
  episode_show_name: null,
  spotify_episode_uri: null,
  audiobook_title: null,
  audiobook_uri: null,
  audiobook_chapter_uri: null,
  audiobook_chapter_title: null,
  reason_start: 'clickrow',
  reason_end: 'trackdone',
  shuffle: false,
  skipped: false,
  offline: false,
  offline_timestamp: 1_745_874_905,
  incognito_mode: false,
  ...overrides,
});
const nothing = {
  master_metadata_track_name: null,
  master_metadata_album_artist_name: null,
  master_metadata_album_album_name: null,
  spotify_track_uri: null,
};
/** Before 2023: personal columns, no audiobooks, nulls where later there are booleans. */
const oldRow = (overrides: Record<string, unknown> = {}) => {
  const { audiobook_title, audiobook_uri, audiobook_chapter_uri, audiobook_chapter_title, ip_addr, ...rest } = row();
  return {
    ...rest,
    username: 'ana-the-user',
    ip_addr_decrypted: '192.0.2.77',
    user_agent_decrypted: 'AnaAgent/1.0',
    skipped: null,
    offline: null,
    incognito_mode: null,
    ...overrides,
  };
};
const minute = (overrides: Record<string, unknown> = {}) => ({
  endTime: '2024-03-01 18:04',
  artistName: 'Quiet Harbour',
  trackName: 'Falling in Lisbon',
  msPlayed: 183_000,
  ...overrides,
});

describe('extended history', () => {
  test('a play: start is end minus time played, the key keeps the raw end', async () => {
    const { items } = await read('Streaming_History_Audio_2025_7.json', [row()]);
    expect(items).toEqual([
      {
        platform: 'spotify',
        externalId: '1745874998:spotify:track:4uLU6hMCjMI75M1A2tKUQC',
        type: 'music',
        action: 'consumed',
        title: 'Falling in Lisbon',
        creator: 'Quiet Harbour',
        consumedAt: new Date('2025-04-28T21:15:04.717Z'),
        timeSpentMs: 93_283,
        tags: [],
        url: 'https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC',
        contentId: 'spotify:track:4uLU6hMCjMI75M1A2tKUQC',
        ids: { spotify: '4uLU6hMCjMI75M1A2tKUQC' },
        source: 'extended-history',
        precision: 'second',
        rawMetadata: { album: 'Golden Glass', reasonStart: 'clickrow', reasonEnd: 'trackdone' },
      },
    ]);
  });

  test('endsong files of before 2023 give the same item, and nothing personal', async () => {
    const [now] = (await read('Streaming_History_Audio_2025_7.json', [row()])).items;
    const { items } = await read('endsong_3.json', [oldRow()]);
    expect(items).toEqual([now]);
    expect(JSON.stringify(items)).not.toMatch(/192\.0\.2|ana-the-user|AnaAgent|Phone of Ana/);
  });

  test('podcasts, audiobooks, videos and local files', async () => {
    const rows = [
      row({
        ...nothing,
        episode_name: 'Episode 7',
        episode_show_name: 'The Long Table',
        spotify_episode_uri: 'spotify:episode:0000000000000000000007',
      }),
      row({
        ...nothing,
        audiobook_title: 'The Fence',
        audiobook_uri: 'spotify:show:1',
        audiobook_chapter_uri: 'spotify:episode:2',
        audiobook_chapter_title: 'Chapter 2',
      }),
      row({ spotify_track_uri: 'spotify:local:Quiet+Harbour:::93' }),
      row({ spotify_track_uri: null }),
    ];
    const { items } = await read('Streaming_History_Audio_2025_7.json', rows);
    expect(items.map(({ type, title, creator, contentId }) => [type, title, creator, contentId])).toEqual([
      ['podcast', 'Episode 7', 'The Long Table', 'spotify:episode:0000000000000000000007'],
      ['audiobook', 'The Fence', undefined, 'spotify:episode:2'],
      ['music', 'Falling in Lisbon', 'Quiet Harbour', 'spotify:local:Quiet+Harbour:::93'],
      ['music', 'Falling in Lisbon', 'Quiet Harbour', undefined],
    ]);
    expect(items[1]?.rawMetadata).toMatchObject({ chapter: 'Chapter 2' });
    expect(items[2]?.url).toBeUndefined();
    const video = await read('Streaming_History_Video_2018-2025.json', [row(), rows[0]]);
    expect(video.items.map(({ subtype }) => subtype)).toEqual(['music_video', 'video_podcast']);
  });

  test('private sessions, rows without content and, if wanted, short plays are left out and counted', async () => {
    const rows = [
      row({ incognito_mode: true }),
      row(nothing),
      row({ ms_played: 4_000 }),
      row({ ts: '2025-04-28T21:20:00Z' }),
    ];
    expect(await read('endsong_0.json', rows)).toMatchObject({ read: 4, skipped: { incognito: 1, no_content: 1 } });
    const all = await read('endsong_0.json', rows, { skip: { incognito: false, shorterThanMs: 30_000 } });
    expect(all).toMatchObject({ read: 4, skipped: { no_content: 1, too_short: 1 } });
    expect(all.items).toHaveLength(2);
  });

  test.each([
    ['ts', { ts: '28/04/2025' }, 'invalid_date'],
    ['ts', { ts: '2025-02-30T10:00:00Z' }, 'invalid_date'],
    ['ts', { ts: null }, 'invalid_date'],
    ['ms_played', { ms_played: '93283' }, 'invalid_duration'],
    ['ms_played', { ms_played: -1 }, 'invalid_duration'],
  ])('a bad %s is told with its record', async (field, overrides, reason) => {
    const { items, rejected } = await read('endsong_0.json', [row(), row(overrides)]);
    expect(items).toHaveLength(1);
    expect(rejected).toMatchObject([{ file: 'endsong_0.json', record: 2, field, reason }]);
  });
});

describe('account data', () => {
  test('a play: to the minute, by name', async () => {
    const { items } = await read('StreamingHistory_music_0.json', [minute()]);
    expect(items).toMatchObject([
      { type: 'music', consumedAt: new Date('2024-03-01T18:00:57Z'), precision: 'minute', source: 'account-data' },
    ]);
    expect(items[0]?.externalId).toMatch(/^1709316240:[0-9a-f]{16}$/);
  });

  test('two plays within a minute stay two, whatever is skipped between them', async () => {
    const rows = [minute({ msPlayed: 20_000 }), minute({ msPlayed: 25_000 }), minute({ endTime: '2024-03-01 18:05' })];
    const { items } = await read('StreamingHistory0.json', rows);
    expect(new Set(items.map(({ externalId }) => externalId)).size).toBe(3);
    expect(items[1]?.externalId).toMatch(/#2$/);
    const long = await read('StreamingHistory0.json', rows, { skip: { shorterThanMs: 22_000 } });
    expect(long.items.map(({ externalId }) => externalId)).toEqual(items.slice(1).map(({ externalId }) => externalId));
  });

  test('podcasts', async () => {
    const { items } = await read('StreamingHistory_podcast_0.json', [
      { endTime: '2024-03-01 18:04', podcastName: 'The Long Table', episodeName: 'Episode 7', msPlayed: 1_000 },
    ]);
    expect(items).toMatchObject([{ type: 'podcast', title: 'Episode 7', creator: 'The Long Table' }]);
  });
});

describe('archives', () => {
  test('mixed folders: histories are read, one damaged file does not spoil the rest, everything else stays closed', async () => {
    const zip = makeZip([
      {
        name: 'Spotify Extended Streaming History/Streaming_History_Audio_2024-2025_7.json',
        content: JSON.stringify([row()]),
      },
      { name: 'Spotify Extended Streaming History/Streaming_History_Video_2018.json', content: '{"not": "a history"}' },
      { name: 'Spotify Extended Streaming History/ReadMeFirst_ExtendedStreamingHistory.pdf', content: '%PDF' },
      { name: 'MyData/endsong_0.json', content: JSON.stringify([oldRow({ ts: '2020-01-01T00:00:00Z' })]) },
      { name: 'Spotify Account Data/StreamingHistory_music_0.json', content: JSON.stringify([minute()]) },
      { name: 'Spotify Account Data/Userdata.json', content: '{"username":"ana-the-user"}' },
      { name: '__MACOSX/MyData/._endsong_0.json', content: 'resource fork' },
    ]);
    const { items, errors } = await collectImport(importer, [fileOf('my_spotify_data.zip', zip)]);
    expect(items.map(({ source }) => source).sort()).toEqual(['account-data', 'extended-history', 'extended-history']);
    expect(errors).toMatchObject([
      { code: 'file_parse_error', reason: 'unknown_format', position: { file: expect.stringContaining('Video_2018') } },
    ]);
  });

  test('an archive without a history says what to hand in', async () => {
    const zip = makeZip([{ name: 'MyData/Userdata.json', content: '{}' }]);
    const { errors } = await collectImport(importer, [fileOf('my_spotify_data.zip', zip)]);
    expect(errors).toMatchObject([
      { code: 'file_parse_error', reason: 'nothing_to_import', hint: expect.stringContaining('endsong') },
    ]);
  });

  test('an account that never played anything gives an empty import', async () => {
    expect(await read('StreamingHistory_music_0.json', '[]')).toMatchObject({ read: 0, errors: [] });
  });
});

test('R-060 ids keep all their digits', async () => {
  const uri = 'spotify:track:12345678901234567890ab';
  const text = JSON.stringify([row({ spotify_track_uri: uri })]).replace('1745874905', '17458749051234567890');
  const { items } = await read('endsong_0.json', text);
  expect(items[0]?.contentId).toBe(uri);
  recordFigure('R-060', 'Spotify: 22-character ids and 20-digit numbers beside them exact');
});

describe('conformance', () => {
  const at = (index: number) => row({ ts: `2025-04-28T21:${String(index + 10)}:38Z` });
  const rows = Array.from({ length: 20 }, (_, index) => at(index));
  const file = (from: number, to: number): ImportFixture => ({
    name: 'Streaming_History_Audio_2025_7.json',
    content: JSON.stringify(rows.slice(from, to)),
  });
  const suite = fileImportConformance({
    provider: spotify(),
    exports: [
      file(0, 20),
      { name: 'endsong_0.json', content: JSON.stringify([oldRow(), oldRow({ ts: '2020-01-01T00:00:00Z' })], null, 1) },
      {
        name: 'StreamingHistory_music_0.json',
        content: JSON.stringify([minute(), minute(), minute({ trackName: 'Waiting' })]),
      },
      {
        name: 'my_spotify_data.zip',
        content: makeZip([{ name: 'MyData/endsong_0.json', content: JSON.stringify(rows) }]),
      },
    ],
    withBadRecord: {
      name: 'Streaming_History_Audio_2025_7.json',
      content: JSON.stringify([...rows, row({ ts: 'the day before' })]),
      badValue: 'the day before',
    },
    overlapping: [file(0, 12), file(8, 20), file(4, 10)],
    personal: ['192.0.2.77', 'ana-the-user', 'AnaAgent', 'Phone of Ana'],
  });
  for (const { id, title, run } of suite) test(`${id} ${title}`, run);
});
