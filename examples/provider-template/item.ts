import { contentHash, eventId, type MediaItem } from '@mca/core/provider-kit';

/** What file and account tell of a play. */
export interface ToldPlay {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly artist: string;
  readonly title: string;
  /** Time really heard, where it is told. */
  readonly seconds: number | undefined;
  /** Length of the track in seconds, where it is told. */
  readonly length?: number | undefined;
  readonly source: 'plays' | 'account';
}

/**
 * A play as an item. Both ways in end here: named alike, a play that both tell of is one play.
 *
 * `externalId` names an event for ever: time first, then content. Nothing in it may differ between two answers, or between
 * an answer and an export, that tell of the same event. Where the service has an id for the event, take that.
 */
export function itemOf({ at, artist, title, seconds, length, source }: ToldPlay): MediaItem {
  // This service has no ids, so artist and title stand for the content.
  const content = contentHash(artist, title);
  return {
    platform: 'my-service',
    externalId: eventId({ at, content }),
    contentId: content,
    type: 'music',
    action: 'consumed',
    title,
    ...(artist !== '' && { creator: artist }),
    // The start of the play. If the service stamps the end, subtract the time spent (but keep the raw stamp in the id).
    consumedAt: new Date(at),
    // Two things: how long the track is, and how much of it was heard. Never put the one in place of the other.
    ...(length !== undefined && length >= 0 && { durationMs: length * 1_000 }),
    ...(seconds !== undefined && seconds >= 0 && { timeSpentMs: seconds * 1_000 }),
    tags: [],
    // Ids that other services know as well: isrc, mbid, imdb, …
    ids: {},
    source,
    precision: 'second',
    // What somebody may want later. Addresses, user names and devices stay behind.
    rawMetadata: {},
  };
}
