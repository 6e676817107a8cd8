import {
  contentHash,
  eventId,
  type Json,
  type MediaIds,
  type MediaItem,
  parseUtc,
  type RecordResult,
  reject,
  skip,
} from '@mca/core/provider-kit';
import { DETAIL_LENGTH_MAX, TEXT_LENGTH_MAX } from './limits.ts';
import type { Play, SavedTrack, Track } from './live-schemas.ts';

const ISRC = /^[A-Z]{2}[A-Z0-9]{3}\d{7}$/;
/** As in the extended history: what is longer is no URI. */
const URI_LENGTH_MAX = 256;

/**
 * A play as an item. `played_at` is the end of the play and names it, as `ts` does in the extended history: where both
 * tell the same second, they tell the same event.
 */
export function normalisePlay({ played_at: playedAt, track, context }: Play): RecordResult {
  const endedAt = parseUtc(playedAt);
  if (endedAt === undefined) return reject('invalid_date', 'played_at is no date and time in UTC', 'played_at');
  const content = track && contentOf(track);
  if (!content) return skip('no_content');
  const { key, rawMetadata, ...about } = content;
  const from = detail(context?.uri);
  return {
    ...about,
    externalId: eventId({ at: endedAt, content: key }),
    action: 'consumed',
    consumedAt: new Date(endedAt - (about.durationMs ?? 0)),
    source: 'recently-played',
    rawMetadata: { ...rawMetadata, ...(from !== undefined && { context: from }) },
  };
}

/** A saved track as an item. A track is saved or not: saved again, it is the same event at another time. */
export function normaliseSaved({ added_at: addedAt, track }: SavedTrack): RecordResult {
  const savedAt = parseUtc(addedAt);
  if (savedAt === undefined) return reject('invalid_date', 'added_at is no date and time in UTC', 'added_at');
  const content = track && contentOf(track);
  if (!content) return skip('no_content');
  const { key, ...about } = content;
  return {
    ...about,
    externalId: eventId({ action: 'saved', content: key }),
    action: 'saved',
    consumedAt: new Date(savedAt),
    source: 'saved-tracks',
  };
}

/** What an item says of its track, whatever happened to it. */
interface Content
  extends Pick<
    MediaItem,
    | 'platform'
    | 'type'
    | 'title'
    | 'creator'
    | 'durationMs'
    | 'tags'
    | 'url'
    | 'contentId'
    | 'ids'
    | 'precision'
    | 'rawMetadata'
  > {
  /** Names the content within the key of an event. */
  readonly key: string;
}

/** A track with neither a name nor a URI tells of nothing. */
function contentOf(track: Track): Content | undefined {
  const id = text(track.id);
  const uri = uriOf(track, id);
  const name = text(track.name)?.slice(0, TEXT_LENGTH_MAX);
  if (uri === undefined && name === undefined) return undefined;
  const title = name ?? (id === undefined ? 'Spotify local file' : `Spotify track ${id}`);
  const creator = text(track.artists?.[0]?.name)?.slice(0, TEXT_LENGTH_MAX);
  const album = detail(track.album?.name);
  const durationMs = track.duration_ms ?? undefined;
  return {
    key: uri ?? contentHash(creator ?? '', title),
    platform: 'spotify',
    type: 'music',
    title,
    ...(creator !== undefined && { creator }),
    ...(durationMs !== undefined && { durationMs: Math.round(durationMs) }),
    tags: [],
    ...(id !== undefined && { url: `https://open.spotify.com/track/${id}` }),
    ...(uri !== undefined && { contentId: uri }),
    ids: idsOf(track, id),
    precision: 'second',
    rawMetadata: album === undefined ? {} : ({ album } satisfies Record<string, Json>),
  };
}

function uriOf({ uri }: Track, id: string | undefined): string | undefined {
  const told = text(uri) ?? (id === undefined ? undefined : `spotify:track:${id}`);
  return told !== undefined && told.length <= URI_LENGTH_MAX ? told : undefined;
}

function idsOf({ external_ids: external }: Track, id: string | undefined): MediaIds {
  const isrc = text(external?.isrc)?.toUpperCase().replaceAll('-', '');
  return { ...(isrc !== undefined && ISRC.test(isrc) && { isrc }), ...(id !== undefined && { spotify: id }) };
}

function text(value: string | null | undefined): string | undefined {
  return value === null || value === '' ? undefined : value;
}

function detail(value: string | null | undefined): string | undefined {
  const told = text(value);
  return told !== undefined && told.length <= DETAIL_LENGTH_MAX ? told : undefined;
}
