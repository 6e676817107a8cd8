import { eventId, type MediaIds, type MediaItem, type RecordResult, reject, skip } from '@mca/core/provider-kit';
import { nativeSong, nowPlaying, scrobble, song, timeOf } from './schemas.ts';

const ISRC = /^[A-Z]{2}[A-Z0-9]{3}\d{7}$/;
const MBID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MINUTE_MS = 60_000;

/** A record with all that is needed to read it alone: parked ones are read again without the server. */
export type Entry =
  /** A row of the list of scrobbles, and its song; `null` where the server said that it has none. */
  | { readonly of: 'scrobbles'; readonly account: string; readonly raw: unknown; readonly song: unknown }
  /** A song of an album that was played lately. */
  | { readonly of: 'last-played'; readonly account: string; readonly raw: unknown; readonly since: number | null }
  /** An entry of what plays now. */
  | {
      readonly of: 'now-playing';
      readonly account: string;
      readonly raw: unknown;
      readonly username: string;
      /** Epoch milliseconds. */
      readonly now: number;
      /** Newest play that is stored, epoch milliseconds. */
      readonly highWater: number | null;
    };

/** Makes an item of a record of any of the three sources. */
export function normalise(entry: Entry): RecordResult {
  switch (entry.of) {
    case 'scrobbles':
      return ofScrobble(entry);
    case 'last-played':
      return ofLastPlayed(entry);
    case 'now-playing':
      return ofNowPlaying(entry);
  }
}

function ofScrobble({ account, raw, song: rawSong }: Extract<Entry, { of: 'scrobbles' }>): RecordResult {
  const row = scrobble.safeParse(raw).data;
  if (!row) return reject('unexpected_shape', 'the row of a scrobble has no id, song or time');
  // The file was deleted; what was heard is not known any more, and never will be.
  if (rawSong === null) return skip('unknown_song');
  const played = nativeSong.safeParse(rawSong).data;
  if (!played) return reject('unexpected_shape', 'the song of a scrobble has no id or title', 'mediaFileId');
  const { title, artist, album, duration, mbzRecordingID, tags } = played;
  return item({
    externalId: eventId({ account, content: `scrobble:${row.id}` }),
    at: row.submissionTime * 1_000,
    source: 'scrobbles',
    song: {
      id: row.mediaFileId,
      title,
      artist,
      album,
      duration,
      musicBrainzId: mbzRecordingID,
      isrc: tags?.isrc ?? [],
    },
  });
}

function ofLastPlayed({ account, raw, since }: Extract<Entry, { of: 'last-played' }>): RecordResult {
  const played = song.safeParse(raw).data;
  if (!played) return reject('unexpected_shape', 'a song has no id or title');
  if (played.played === undefined) return skip('never_played');
  const at = timeOf(played.played);
  if (at === undefined) return reject('invalid_date', 'the time of the last play cannot be read', 'played');
  if (since !== null && at < since) return skip('known_before');
  const externalId = eventId({ account, at, content: played.id });
  return item({ externalId, at, source: 'last-played', song: played });
}

function ofNowPlaying(entry: Extract<Entry, { of: 'now-playing' }>): RecordResult {
  const { account, raw, username, now, highWater } = entry;
  const [who, what] = [nowPlaying.safeParse(raw).data, song.safeParse(raw).data];
  if (!who || !what) return reject('unexpected_shape', 'an entry of what plays now has no user or song');
  if (who.username.toLowerCase() !== username.toLowerCase()) return skip('another_user');
  const at = Math.floor((now - who.minutesAgo * MINUTE_MS) / MINUTE_MS) * MINUTE_MS;
  // The start is known to the minute: the same play, asked about twice, may seem to begin a minute apart.
  if (highWater !== null && at <= highWater + MINUTE_MS) return skip('known_before');
  const externalId = eventId({ account, at, content: what.id });
  return { ...item({ externalId, at, source: 'now-playing', song: what }), precision: 'minute' };
}

interface Play {
  readonly externalId: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly source: Entry['of'];
  readonly song: {
    readonly id: string;
    readonly title: string;
    readonly artist?: string | undefined;
    readonly album?: string | undefined;
    readonly duration?: number | undefined;
    readonly musicBrainzId?: string | undefined;
    readonly isrc: readonly string[];
  };
}

function item({ externalId, at, source, song: played }: Play): MediaItem {
  const { id, title, artist, album, duration } = played;
  return {
    platform: 'navidrome',
    externalId,
    type: 'music',
    action: 'consumed',
    title,
    ...(artist !== undefined && { creator: artist }),
    consumedAt: new Date(at),
    ...(duration !== undefined && duration > 0 && { durationMs: Math.round(duration * 1_000) }),
    tags: [],
    contentId: id,
    ids: idsOf(played),
    source,
    precision: 'second',
    rawMetadata: album === undefined ? {} : { album },
  };
}

function idsOf({ isrc, musicBrainzId = '' }: Play['song']): MediaIds {
  const code = isrc.map((each) => each.toUpperCase().replaceAll('-', '')).find((each) => ISRC.test(each));
  const mbid = musicBrainzId.toLowerCase();
  return { ...(code !== undefined && { isrc: code }), ...(MBID.test(mbid) && { mbid }) };
}
