import { contentHash, eventId, type RecordResult, reject, skip } from '@mca/core/provider-kit';
import type { Scrobble } from './schemas.ts';

const MBID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Beyond this a Date is none any more; the service would not send it, a fault might. */
const LAST_MS = 8.64e15;

/** A scrobble as an item. `uts` is the start of the play. What plays now is not history yet. */
export function normalise(scrobble: Scrobble): RecordResult {
  const { name, artist, album, url, mbid, date } = scrobble;
  if (!date || scrobble['@attr']?.nowplaying) return skip('now_playing');
  const at = date.uts * 1_000;
  if (!(at <= LAST_MS)) return reject('invalid_date', 'the time of the scrobble is impossible', 'date.uts');
  // Without the album, which people correct afterwards.
  const content = contentHash(artist.trim().toLowerCase(), name.trim().toLowerCase());
  return {
    platform: 'lastfm',
    externalId: eventId({ at, content }),
    type: 'music',
    action: 'consumed',
    title: name,
    creator: artist,
    consumedAt: new Date(at),
    tags: [],
    ...(url !== undefined && { url }),
    contentId: content,
    ids: mbid !== undefined && MBID.test(mbid) ? { mbid } : {},
    source: 'scrobbles',
    precision: 'second',
    rawMetadata: album === undefined ? {} : { album },
  };
}
