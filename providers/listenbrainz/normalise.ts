import { contentHash, eventId, type MediaIds, type RecordResult, reject } from '@mca/core/provider-kit';
import type { Listen } from './schemas.ts';

const ISRC = /^[A-Z]{2}[A-Z0-9]{3}\d{7}$/;
const MBID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const SPOTIFY_TRACK = /open\.spotify\.com\/(?:intl-\w+\/)?track\/([0-9A-Za-z]{22})/;

/** Characters. Names, tags and addresses are what somebody's program sent. */
const LONGEST_NAME = 2_000;
const MOST_TAGS = 50;
const LONGEST_TAG = 200;
/** Longer ones are no ids of a message. */
const LONGEST_ID = 100;

/** Beyond this a Date is none any more; the service would not send it, a fault might. */
const LAST_MS = 8.64e15;

/** A listen as an item. `listened_at` is the start of the play. */
export function normalise({ listened_at: at, recording_msid: msid, track_metadata: track }: Listen): RecordResult {
  if (at * 1_000 > LAST_MS) return reject('invalid_date', 'the time of the listen is impossible', 'listened_at');
  const info = track.additional_info ?? {};
  const content =
    [msid, track.recording_msid, info.recording_msid].map(idOf).find((id) => id !== undefined) ??
    contentHash(track.artist_name, track.track_name);
  const seconds = amount(info.duration);
  const durationMs = amount(info.duration_ms) ?? (seconds === undefined ? undefined : seconds * 1_000);
  const playedSeconds = amount(info.duration_played);
  const url = webAddress(info.origin_url);
  return {
    platform: 'listenbrainz',
    externalId: eventId({ at: at * 1_000, content }),
    type: 'music',
    action: 'consumed',
    title: track.track_name.slice(0, LONGEST_NAME),
    creator: track.artist_name.slice(0, LONGEST_NAME),
    consumedAt: new Date(at * 1_000),
    ...(durationMs !== undefined && { durationMs }),
    ...(playedSeconds !== undefined && { timeSpentMs: playedSeconds * 1_000 }),
    tags: tagsOf(info.tags),
    ...(url !== undefined && { url }),
    contentId: content,
    ids: idsOf(info, track.mbid_mapping?.recording_mbid),
    source: 'listens',
    precision: 'second',
    rawMetadata: {
      ...(track.release_name && { album: track.release_name.slice(0, LONGEST_NAME) }),
      ...texts(info, ['music_service', 'submission_client', 'media_player']),
    },
  };
}

function idOf(value: unknown): string | undefined {
  const id = text(value);
  return id !== undefined && id.length <= LONGEST_ID ? id : undefined;
}

function tagsOf(tags: unknown): readonly string[] {
  if (!Array.isArray(tags)) return [];
  const texts = tags.filter((tag): tag is string => typeof tag === 'string');
  return texts.slice(0, MOST_TAGS).map((tag) => tag.slice(0, LONGEST_TAG));
}

/** What was submitted goes before what the server's mapper found, as on the server itself. */
function idsOf(info: Readonly<Record<string, unknown>>, mapped: string | null | undefined): MediaIds {
  const isrc = text(info.isrc)?.toUpperCase().replaceAll('-', '');
  const mbid = [info.recording_mbid, mapped].map((id) => text(id)?.toLowerCase()).find((id) => id && MBID.test(id));
  const spotify = SPOTIFY_TRACK.exec(
    (text(info.spotify_id) ?? text(info.origin_url) ?? '').slice(0, LONGEST_NAME),
  )?.[1];
  return { ...(isrc && ISRC.test(isrc) && { isrc }), ...(mbid && { mbid }), ...(spotify && { spotify }) };
}

/** Users' programs send numbers as texts, and worse. */
function amount(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && number > 0 && Number.isFinite(number) ? Math.round(number) : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function webAddress(value: unknown): string | undefined {
  const address = text(value);
  return address && address.length <= LONGEST_NAME && /^https?:\/\//.test(address) && URL.canParse(address)
    ? address
    : undefined;
}

function texts(info: Readonly<Record<string, unknown>>, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = text(info[key]);
      return value === undefined ? [] : [[key, value.slice(0, 200)] as const];
    }),
  );
}
