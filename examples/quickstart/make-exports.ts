// Makes the bundled exports: six years of a person who does not exist, as each service would hand them out.
//   node --conditions=@mca/source examples/quickstart/make-exports.ts
import { mkdirSync, writeFileSync } from 'node:fs';
import { makeZip } from '@mca/core/testing';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;
const FIRST_DAY = Date.UTC(2019, 8, 1);
const LAST_DAY = Date.UTC(2025, 9, 31);

/** Mulberry32: the same seed gives the same life. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const pick = <T>(roll: () => number, list: readonly T[], skew = 1): T =>
  list[Math.floor(list.length * roll() ** skew)] as T;
const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const idOf = (roll: () => number, length: number, alphabet: string): string =>
  Array.from({ length }, () => pick(roll, [...alphabet])).join('');

/** `2024-05-01T20:31:07Z` without the fraction. */
const iso = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}Z`;
const plain = (time: number): string => new Date(time).toISOString().slice(0, 19).replace('T', ' ');

/** How much of a day somebody has for a thing: weekends and winters more, and a habit that grows and wanes over the years. */
function appetite(day: number, perDay: number, waves: number): number {
  const date = new Date(day);
  const weekend = date.getUTCDay() % 6 === 0 ? 1.5 : 0.85;
  const season = 1 + 0.3 * Math.cos((date.getUTCMonth() / 12) * 2 * Math.PI);
  const years = (day - FIRST_DAY) / (365 * DAY);
  return perDay * weekend * season * (0.7 + 0.5 * Math.sin(years * waves) ** 2);
}

function* days(from = FIRST_DAY): Generator<number> {
  for (let day = from; day <= LAST_DAY; day += DAY) yield day;
}

const adjectives = [
  'Quiet',
  'Golden',
  'Paper',
  'Northern',
  'Electric',
  'Hollow',
  'Velvet',
  'Distant',
  'Broken',
  'Early',
  'Silver',
  'Salt',
];
const nouns = [
  'Harbour',
  'Foxes',
  'Lanterns',
  'Orchard',
  'Tides',
  'Signals',
  'Meadow',
  'Engines',
  'Winter',
  'Letters',
  'Rooms',
  'Sparrows',
];
const verbs = ['Falling', 'Waiting', 'Driving', 'Dancing', 'Sleeping', 'Counting', 'Leaving', 'Burning'];
const places = [
  'Lisbon',
  'the Dark',
  'October',
  'Glass',
  'the Rain',
  'Tomorrow',
  'the River',
  'Stereo',
  'Slow Motion',
  'the Attic',
];

function spotifyPlays(): Record<string, unknown>[] {
  const roll = dice(11);
  const artists = adjectives
    .flatMap((adjective) => nouns.map((noun) => `${adjective} ${noun}`))
    .sort(() => roll() - 0.5)
    .slice(0, 90);
  const tracks = Array.from({ length: 900 }, () => ({
    uri: `spotify:track:${idOf(roll, 22, base62)}`,
    title: `${pick(roll, verbs)} in ${pick(roll, places)}${roll() < 0.06 ? ` (feat. ${pick(roll, artists)})` : ''}`,
    artist: pick(roll, artists, 2),
    album: `${pick(roll, adjectives)} ${pick(roll, places)}`,
    length: 130_000 + Math.floor(roll() * 190_000),
  }));
  const shows = ['The Long Table', 'Small Machines', 'Maps and Margins'];
  const rows: Record<string, unknown>[] = [];
  for (const day of days()) {
    let time = day + 7 * HOUR + Math.floor(roll() * 3 * HOUR);
    // Taste moves on: each year favours another part of the shelf.
    const taste = Math.floor(((day - FIRST_DAY) / (LAST_DAY - FIRST_DAY)) * 600);
    for (let plays = Math.round(appetite(day, 11, 1.1) * roll() * 1.6); plays > 0; plays -= 1) {
      const track = tracks[(taste + Math.floor(300 * roll() ** 3)) % tracks.length] as (typeof tracks)[number];
      const skipped = roll() < 0.14;
      const podcast = roll() < 0.03;
      const played = podcast
        ? 1_200_000 + Math.floor(roll() * 2_000_000)
        : skipped
          ? Math.floor(roll() * 25_000)
          : track.length;
      time += played + Math.floor(roll() * 6 * SECOND) + (roll() < 0.15 ? Math.floor(roll() * 4 * HOUR) : 0);
      rows.push({
        ts: iso(time),
        platform: pick(roll, ['ios', 'osx', 'web_player']),
        ms_played: played,
        conn_country: 'PT',
        ip_addr: '192.0.2.44',
        master_metadata_track_name: podcast ? null : track.title,
        master_metadata_album_artist_name: podcast ? null : track.artist,
        master_metadata_album_album_name: podcast ? null : track.album,
        spotify_track_uri: podcast ? null : track.uri,
        episode_name: podcast ? `Episode ${1 + Math.floor((day - FIRST_DAY) / (7 * DAY))}` : null,
        episode_show_name: podcast ? pick(roll, shows, 1.5) : null,
        spotify_episode_uri: podcast ? `spotify:episode:${idOf(roll, 22, base62)}` : null,
        audiobook_title: null,
        audiobook_uri: null,
        audiobook_chapter_uri: null,
        audiobook_chapter_title: null,
        reason_start: 'trackdone',
        reason_end: skipped ? 'fwdbtn' : 'trackdone',
        shuffle: roll() < 0.3,
        skipped,
        offline: false,
        offline_timestamp: null,
        incognito_mode: roll() < 0.004,
      });
      // Spotify hands out some rows twice.
      if (roll() < 0.004) rows.push({ ...rows.at(-1) });
    }
  }
  return rows;
}

function spotifyExtended(plays: readonly Record<string, unknown>[]): Uint8Array {
  const byYear = Map.groupBy(plays, ({ ts }) => String(ts).slice(0, 4));
  return makeZip([
    ...[...byYear].map(([year, rows], index) => ({
      name: `Spotify Extended Streaming History/Streaming_History_Audio_${year}_${index}.json`,
      content: JSON.stringify(rows, null, 1),
    })),
    {
      name: 'Spotify Extended Streaming History/ReadMeFirst_ExtendedStreamingHistory.pdf',
      content: '%PDF-1.4 leaflet',
    },
  ]);
}

/** The last year again, as the quick download tells it: to the minute and by name. */
function spotifyAccountData(plays: readonly Record<string, unknown>[]): Uint8Array {
  const year = plays.filter(({ ts }) => String(ts) >= '2024-11');
  const music = year.filter((row) => row.spotify_track_uri);
  return makeZip([
    {
      name: 'Spotify Account Data/StreamingHistory_music_0.json',
      content: JSON.stringify(
        music.map((row) => ({
          endTime: String(row.ts).slice(0, 16).replace('T', ' '),
          artistName: row.master_metadata_album_artist_name,
          trackName: row.master_metadata_track_name,
          msPlayed: row.ms_played,
        })),
        null,
        1,
      ),
    },
    { name: 'Spotify Account Data/Userdata.json', content: '{"username":"nobody"}' },
  ]);
}

const series = [
  ['Sand Hill', 'The Long Road', 'Wells', 'A Debt', 'Nightfall', 'The Fence', 'Home'],
  ['Low Water', 'Pilot', 'The Keel', 'Soundings', 'Neap', 'Spring Tide'],
  ['The Understudy', 'Curtain', 'Second Act', 'Notes', 'The Lead'],
  ['Department of Rain', 'Forecast', 'Front', 'Mist', 'Clearing', 'Squall'],
  ['Blue Door', 'Knock', 'The Lodger', 'Keys', 'Threshold'],
] as const;
const films = [
  'Knight Tale: Legend of the Lake',
  'Paper Moonlight',
  'The Cartographer',
  'Eleven Minutes',
  'A Summer in Ferrol',
  'Wolf Street',
];

function netflixViews(): {
  profile: string;
  time: number;
  seconds: number;
  title: string;
  attributes: string;
  kind: string;
}[] {
  const roll = dice(23);
  const views: ReturnType<typeof netflixViews> = [];
  for (const day of days()) {
    for (const profile of ['Ana', 'Rui']) {
      if (roll() > appetite(day, profile === 'Ana' ? 0.34 : 0.16, 0.8)) continue;
      let time = day + 19 * HOUR + Math.floor(roll() * 2 * HOUR);
      const show = pick(roll, series, 1.4);
      const season = 1 + Math.floor((day - FIRST_DAY) / (700 * DAY));
      const film = roll() < 0.2;
      for (let episodes = film ? 1 : 1 + Math.floor(roll() * 3); episodes > 0; episodes -= 1) {
        const number = 1 + Math.floor(roll() * (show.length - 1));
        const seconds = film ? 5_400 + Math.floor(roll() * 2_400) : 1_500 + Math.floor(roll() * 1_800);
        const title = film ? pick(roll, films) : `${show[0]}: Season ${season}: ${show[number]} (Episode ${number})`;
        views.push({ profile, time, seconds, title, attributes: '', kind: '' });
        if (roll() < 0.12)
          views.push({
            profile,
            time: time - 40 * SECOND,
            seconds: 21,
            title: `${show[0]}_hook_primary_16x9`,
            attributes: 'Autoplayed: user action: None; ',
            kind: 'HOOK',
          });
        time += (seconds + 30) * SECOND;
      }
    }
  }
  return views.sort((a, b) => b.time - a.time);
}

const clock = (seconds: number): string => new Date(seconds * SECOND).toISOString().slice(11, 19);
const quoted = (text: string): string => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function netflixFull(views: ReturnType<typeof netflixViews>): Uint8Array {
  const header =
    'Profile Name,Start Time,Duration,Attributes,Title,Supplemental Video Type,Device Type,Bookmark,Latest Bookmark,Country';
  const rows = views.map(({ profile, time, seconds, title, attributes, kind }) =>
    [
      profile,
      plain(time),
      clock(seconds),
      attributes,
      title,
      kind,
      'Smart TV',
      clock(seconds),
      'Not latest view',
      'PT (Portugal)',
    ]
      .map(quoted)
      .join(','),
  );
  return makeZip([
    { name: '1234567890/CONTENT_INTERACTION/ViewingActivity.csv', content: [header, ...rows, ''].join('\n') },
    { name: '1234567890/PROFILES/Profiles.csv', content: 'Profile Name,Created\nAna,2019-08-30\nRui,2019-09-02\n' },
    { name: '1234567890/Cover Sheet.pdf', content: '%PDF-1.4 cover' },
  ]);
}

/** One profile again, as the website's own download tells it: to the day, in the order of the country. */
function netflixShort(views: ReturnType<typeof netflixViews>): string {
  const rows = views
    .filter(({ profile, kind }) => profile === 'Ana' && kind === '')
    .map(({ time, title }) => {
      const [year, month, day] = new Date(time).toISOString().slice(0, 10).split('-');
      return `"${title.replace(/ \(Episode \d+\)$/, '').replaceAll('"', '""')}","${day}/${month}/${year}"`;
    });
  return ['Title,Date', ...rows, ''].join('\n');
}

const channels = [
  'Rope Lab',
  'Slow Kitchen',
  'Orbit Explained',
  'Bench and Bicycle',
  'Tiny Synths',
  'Old Maps Club',
  'Garden Hours',
  'Chess in Bed',
];
const topics = [
  'How to Tie a Bowline',
  'A Soup for Winter',
  'Why Moons Drift',
  'Truing a Wheel',
  'One Filter, Ten Sounds',
  'The Coast in 1580',
  'Pruning Roses',
  'A Quiet Endgame',
];
const youtubeId = `${base62}_-`;

function youtubeTakeout(): Uint8Array {
  const roll = dice(37);
  const videos = Array.from({ length: 700 }, () => {
    const about = Math.floor(roll() * channels.length);
    return {
      id: idOf(roll, 11, youtubeId),
      title: `${topics[about]}, Part ${1 + Math.floor(roll() * 40)}`,
      channel: channels[about],
    };
  });
  const songs = Array.from({ length: 120 }, () => ({
    id: idOf(roll, 11, youtubeId),
    title: `${pick(roll, verbs)} in ${pick(roll, places)}`,
    channel: `${pick(roll, adjectives)} ${pick(roll, nouns)} - Topic`,
  }));
  const items: Record<string, unknown>[] = [];
  for (const day of days(Date.UTC(2020, 2, 1))) {
    let time = day + 17 * HOUR;
    for (let watches = Math.round(appetite(day, 2.2, 1.7) * roll() * 2); watches > 0; watches -= 1) {
      time += Math.floor(roll() * 1.2 * HOUR);
      const music = roll() < 0.14;
      const ad = roll() < 0.07;
      const { id, title, channel } = music ? pick(roll, songs, 1.6) : pick(roll, videos, 1.4);
      const stamp = new Date(time + Math.floor(roll() * 1000)).toISOString();
      const controls = { products: ['YouTube'], activityControls: ['YouTube watch history'] };
      if (roll() < 0.01)
        items.push({ header: 'YouTube', title: 'Watched a video that has been removed', time: stamp, ...controls });
      else {
        items.push({
          header: music ? 'YouTube Music' : 'YouTube',
          title: `Watched ${title}`,
          titleUrl: `https://${music ? 'music' : 'www'}.youtube.com/watch?v=${id}`,
          ...(ad
            ? { details: [{ name: 'From Google Ads' }] }
            : { subtitles: [{ name: channel, url: 'https://www.youtube.com/channel/UCnobody' }] }),
          time: stamp,
          ...controls,
        });
      }
    }
  }
  const folder = 'Takeout/YouTube and YouTube Music/history';
  return makeZip([
    { name: `${folder}/watch-history.json`, content: JSON.stringify(items.reverse(), null, 2) },
    { name: 'Takeout/archive_browser.html', content: '<!DOCTYPE html><title>Google Takeout</title>' },
  ]);
}

function tiktokExport(): Uint8Array {
  const roll = dice(53);
  const watch: Record<string, string>[] = [];
  const likes: Record<string, string>[] = [];
  for (const day of days(Date.UTC(2025, 6, 1))) {
    let time = day + 21 * HOUR;
    for (let videos = Math.round(appetite(day, 14, 2.3) * roll()); videos > 0; videos -= 1) {
      time += 8 * SECOND + Math.floor(roll() * 70 * SECOND);
      const uploaded = Math.floor((time - roll() * 90 * DAY) / SECOND);
      const id = (BigInt(uploaded) << 32n) | BigInt(Math.floor(roll() * 4_294_967_295));
      const link = `https://www.tiktokv.com/share/video/${id}/`;
      watch.push({ Date: plain(time), Link: link, Title: '' });
      if (roll() < 0.08) likes.push({ date: plain(time + 5 * SECOND), link });
    }
  }
  const data = {
    'Your Activity': {
      'Watch History': { VideoList: watch.reverse() },
      Searches: { SearchList: [{ Date: '2025-08-13 08:00:00', SearchTerm: 'knots' }] },
    },
    'Likes and Favorites': {
      'Like List': { App: 1233, ItemFavoriteList: likes.reverse() },
      'Favorite Videos': { FavoriteVideoList: [] },
    },
    'Profile And Settings': { 'Profile Info': { ProfileMap: { userName: 'nobody' } } },
  };
  return makeZip([{ name: 'user_data_tiktok.json', content: JSON.stringify(data, null, 1) }]);
}

/** All bundled exports, by file name. */
export function makeExports(): Readonly<Record<string, Uint8Array>> {
  const plays = spotifyPlays();
  const views = netflixViews();
  return {
    'netflix-full-report.zip': netflixFull(views),
    'NetflixViewingHistory.csv': new TextEncoder().encode(netflixShort(views)),
    'spotify-account-data.zip': spotifyAccountData(plays),
    'spotify-extended-history.zip': spotifyExtended(plays),
    'takeout-youtube.zip': youtubeTakeout(),
    'TikTok_Data_1761868800.zip': tiktokExport(),
  };
}

if (import.meta.main) {
  const folder = new URL('./exports/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(makeExports())) {
    writeFileSync(new URL(name, folder), bytes);
    console.log(`${name}  ${bytes.length.toLocaleString('en-US')} bytes`);
  }
}
