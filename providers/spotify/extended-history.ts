import {
  baseName,
  contentHash,
  eventId,
  type FileFormat,
  type Json,
  type JsonRow,
  jsonFormat,
  type MediaItem,
  parseUtc,
  type RecordResult,
  reject,
  skip,
} from '@mca/core/provider-kit';
import type { ResolvedImportOptions } from './schemas.ts';

/** What the name of a file tells about its records. */
interface FileKind {
  readonly video: boolean;
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
  rank: 2,
  names: /^(streaming_history_(audio|video).*|endsong_\d+)\.json$/i,
  recognise({ name, text }) {
    if (!/"ts"\s*:/.test(text) || !/"ms_played"\s*:/.test(text))
      return text.trim() === '[]' && extendedHistory.names.test(name) ? 0.6 : 0;
    return 0.98;
  },
  prepare: async (file) => ({ video: /video/i.test(baseName(file.name)) }),
  record: (row, { options }, kind) => play(row, options, kind),
});

function play(row: JsonRow, { skip: rules }: ResolvedImportOptions, kind: FileKind): RecordResult {
  const { ts, ms_played: played } = row;
  const endedAt = typeof ts === 'string' ? parseUtc(ts) : undefined;
  if (endedAt === undefined) return reject('invalid_date', 'ts is no date and time in UTC', 'ts');
  if (typeof played !== 'number' || !Number.isInteger(played) || played < 0) {
    return reject('invalid_duration', 'ms_played is no number of milliseconds', 'ms_played');
  }
  if (row.incognito_mode === true && rules.incognito) return skip('incognito');
  if (played < rules.shorterThanMs) return skip('too_short');
  const content = contentOf(row, kind);
  if (!content) return skip('no_content');
  return {
    platform: 'spotify',
    externalId: eventId({
      at: endedAt,
      content: content.contentId ?? contentHash(content.creator ?? '', content.title),
    }),
    action: 'consumed',
    consumedAt: new Date(endedAt - played),
    timeSpentMs: played,
    tags: [],
    source: 'extended-history',
    precision: 'second',
    rawMetadata: detailsOf(row),
    ...content,
  };
}

type Content = Pick<MediaItem, 'type' | 'subtype' | 'title' | 'creator' | 'contentId' | 'url' | 'ids'>;

/** A row tells of a track, an episode or an audiobook; old rows of removed content tell of nothing. */
function contentOf(row: JsonRow, { video }: FileKind): Content | undefined {
  const track = text(row.master_metadata_track_name);
  if (track) {
    const creator = text(row.master_metadata_album_artist_name);
    return {
      type: 'music',
      subtype: video ? 'music_video' : undefined,
      title: track,
      creator,
      ...linksOf(row.spotify_track_uri),
    };
  }
  const episode = text(row.episode_name);
  if (episode) {
    const creator = text(row.episode_show_name);
    return {
      type: 'podcast',
      subtype: video ? 'video_podcast' : undefined,
      title: episode,
      creator,
      ...linksOf(row.spotify_episode_uri),
    };
  }
  const book = text(row.audiobook_title) ?? text(row.audiobook_chapter_title);
  if (book) return { type: 'audiobook', title: book, ...linksOf(row.audiobook_chapter_uri ?? row.audiobook_uri) };
  return undefined;
}

/** Ids and address from a URI such as `spotify:track:4uLU6hMCjMI75M1A2tKUQC`; local files have no address. */
function linksOf(uri: unknown): Pick<MediaItem, 'contentId' | 'url' | 'ids'> {
  if (typeof uri !== 'string' || !uri.startsWith('spotify:') || uri.length > 256) return { ids: {} };
  const [, kind = '', id = ''] = uri.split(':', 3);
  if (kind === 'local' || id === '') return { contentId: uri, ids: {} };
  return { contentId: uri, url: `https://open.spotify.com/${kind}/${id}`, ids: { spotify: id } };
}

function detailsOf(row: JsonRow): { readonly [key: string]: Json } {
  const details: { [key: string]: Json } = {};
  const album = text(row.master_metadata_album_album_name);
  if (album) details.album = album;
  const chapter = text(row.audiobook_chapter_title);
  if (chapter) details.chapter = chapter;
  if (typeof row.reason_start === 'string') details.reasonStart = row.reason_start;
  if (typeof row.reason_end === 'string') details.reasonEnd = row.reason_end;
  if (row.skipped === true) details.skipped = true;
  if (row.shuffle === true) details.shuffle = true;
  if (row.offline === true) details.offline = true;
  return details;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
