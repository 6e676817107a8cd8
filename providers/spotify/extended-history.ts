import {
  baseName,
  contentHash,
  eventId,
  type FileFormat,
  isPlausible,
  type Json,
  type JsonRow,
  jsonFormat,
  type MediaItem,
  type PlausibleTimes,
  parseUtc,
  type RecordResult,
  reject,
  skip,
} from '@mca/core/provider-kit';
import { DETAIL_LENGTH_MAX, SPOTIFY_BEGAN, TEXT_LENGTH_MAX } from './limits.ts';
import type { ResolvedImportOptions } from './schemas.ts';

/** What holds for all records of a file. */
interface FileKind {
  /** By its name. */
  readonly video: boolean;
  readonly times: PlausibleTimes;
}

/**
 * The extended streaming history: every play since the account was opened, to the second.
 *
 * `ts` is the end of the play. Addresses, user names, user agents, devices and countries are dropped.
 */
export const extendedHistory: FileFormat<ResolvedImportOptions> = jsonFormat<ResolvedImportOptions, FileKind>({
  id: 'extended-history',
  name: 'Extended streaming history',
  precision: 'second',
  rank: 3,
  names: /^(streaming_history_(audio|video).*|endsong_\d+)\.json$/i,
  recognise({ name, text }) {
    if (!/"ts"\s*:/.test(text) || !/"ms_played"\s*:/.test(text))
      return text.trim() === '[]' && extendedHistory.names.test(name) ? 0.6 : 0;
    return 0.98;
  },
  prepare: async (file, context) => ({
    video: /video/i.test(baseName(file.name)),
    times: { earliest: SPOTIFY_BEGAN, now: context.now() },
  }),
  record: (row, { options }, kind) => play(row, options, kind),
});

const SCHEME = 'spotify:';
const noTags: readonly string[] = Object.freeze([]);
const noIds: MediaItem['ids'] = Object.freeze({});

function play(row: JsonRow, { skip: rules }: ResolvedImportOptions, kind: FileKind): RecordResult {
  const { ts, ms_played: played } = row;
  const endedAt = typeof ts === 'string' ? parseUtc(ts) : undefined;
  if (endedAt === undefined) return reject('invalid_date', 'ts is no date and time in UTC', 'ts');
  if (typeof played !== 'number' || !Number.isInteger(played) || played < 0) {
    return reject('invalid_duration', 'ms_played is no number of milliseconds', 'ms_played');
  }
  if (!isPlausible(endedAt, kind.times)) return reject('implausible_date', 'ts is before 2006 or in the future', 'ts');
  if (!isPlausible(endedAt - played, kind.times))
    return reject('invalid_duration', 'ms_played reaches back to before Spotify', 'ms_played');
  if (row.incognito_mode === true && rules.incognito) return skip('incognito');
  if (played < rules.shorterThanMs) return skip('too_short');
  const content = contentOf(row, kind);
  if (!content) return skip('no_content');
  const { type, subtype, title, creator } = content;
  if (title.length > TEXT_LENGTH_MAX) return reject('too_long', 'the title is longer than any', 'title');
  if (creator && creator.length > TEXT_LENGTH_MAX)
    return reject('too_long', 'the creator is longer than any', 'creator');
  const { contentId, url, ids } = linksOf(content.uri);
  // Spelt out, not put together by spreads: this runs for every play of a life.
  const item: MediaItem = {
    platform: 'spotify',
    externalId: eventId({ at: endedAt, content: contentId ?? contentHash(creator ?? '', title) }),
    type,
    subtype,
    action: 'consumed',
    title,
    creator,
    consumedAt: new Date(endedAt - played),
    timeSpentMs: played,
    tags: noTags,
    url,
    contentId,
    ids,
    source: 'extended-history',
    precision: 'second',
    rawMetadata: detailsOf(row),
  };
  return freshCopy(item);
}

/**
 * V8 remembers of each object literal how long its objects live, and when the first thousands wait for a commit, it makes
 * all later ones in its old generation, where they stay for long. Copies are not remembered.
 */
function freshCopy(item: MediaItem): MediaItem {
  return { ...item };
}

interface Content extends Pick<MediaItem, 'type' | 'subtype' | 'title' | 'creator'> {
  readonly uri: unknown;
}

/** A row tells of a track, an episode or an audiobook; old rows of removed content tell of nothing. */
function contentOf(row: JsonRow, { video }: FileKind): Content | undefined {
  const track = text(row.master_metadata_track_name);
  if (track) {
    const creator = text(row.master_metadata_album_artist_name);
    const subtype = video ? 'music_video' : undefined;
    return { type: 'music', subtype, title: track, creator, uri: row.spotify_track_uri };
  }
  const episode = text(row.episode_name);
  if (episode) {
    const creator = text(row.episode_show_name);
    const subtype = video ? 'video_podcast' : undefined;
    return { type: 'podcast', subtype, title: episode, creator, uri: row.spotify_episode_uri };
  }
  const book = text(row.audiobook_title) ?? text(row.audiobook_chapter_title);
  const bookUri = row.audiobook_chapter_uri ?? row.audiobook_uri;
  return book ? { type: 'audiobook', title: book, uri: bookUri } : nameless(row, bookUri);
}

/** Without a name the URI still tells what was played; only the words are missing. */
function nameless(row: JsonRow, bookUri: unknown): Content | undefined {
  const uri = [row.spotify_track_uri, row.spotify_episode_uri, bookUri].find(isSpotifyUri);
  if (uri === undefined) return undefined;
  const [, kind = '', id = ''] = uri.split(':', 3);
  if (kind === 'local') return { type: 'music', title: 'Spotify local file', uri };
  if (uri === bookUri) return { type: 'audiobook', title: `Spotify audiobook ${id}`, uri };
  return kind === 'episode'
    ? { type: 'podcast', title: `Spotify episode ${id}`, uri }
    : { type: 'music', title: `Spotify ${kind} ${id}`, uri };
}

function isSpotifyUri(uri: unknown): uri is string {
  return typeof uri === 'string' && uri.length <= 256 && /^spotify:[a-z]+:./.test(uri);
}

/** Ids and address from a URI such as `spotify:track:4uLU6hMCjMI75M1A2tKUQC`; local files have no address. */
function linksOf(uri: unknown): Pick<MediaItem, 'contentId' | 'url' | 'ids'> {
  if (typeof uri !== 'string' || !uri.startsWith(SCHEME) || uri.length > 256) return { ids: noIds };
  const colon = uri.indexOf(':', SCHEME.length);
  const kind = uri.slice(SCHEME.length, colon);
  const id = colon === -1 ? '' : uri.slice(colon + 1);
  if (kind === 'local' || id === '') return { contentId: uri, ids: noIds };
  // No literal, see `freshCopy`.
  const ids: { spotify?: string } = {};
  ids.spotify = id;
  return { contentId: uri, url: `https://open.spotify.com/${kind}/${id}`, ids };
}

function detailsOf(row: JsonRow): { readonly [key: string]: Json } {
  const details: { [key: string]: Json } = {};
  const album = detail(row.master_metadata_album_album_name);
  if (album) details.album = album;
  const chapter = detail(row.audiobook_chapter_title);
  if (chapter) details.chapter = chapter;
  const [reasonStart, reasonEnd] = [detail(row.reason_start), detail(row.reason_end)];
  if (reasonStart) details.reasonStart = reasonStart;
  if (reasonEnd) details.reasonEnd = reasonEnd;
  if (row.skipped === true) details.skipped = true;
  if (row.shuffle === true) details.shuffle = true;
  if (row.offline === true) details.offline = true;
  return details;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function detail(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= DETAIL_LENGTH_MAX ? value : undefined;
}
