/** What kind of thing was consumed. Finer kinds go into {@link MediaItem.subtype}. */
export type MediaType = 'music' | 'video' | 'podcast' | 'audiobook' | 'article' | 'book';

/** What the user did: consumed it, or expressed an opinion about it. */
export type MediaAction = 'consumed' | 'liked' | 'saved' | 'rated';

/** How exactly the source knows the time of the event. `day` means a calendar day of unknown time zone, stored as UTC midnight. */
export type Precision = 'second' | 'minute' | 'hour' | 'day';

/** Identifiers of the **content** in public catalogues, each in the form its catalogue prints it. */
export interface MediaIds {
  /** International Standard Recording Code, twelve characters without dashes. */
  readonly isrc?: string | undefined;
  /** MusicBrainz recording id, lower-case UUID. */
  readonly mbid?: string | undefined;
  /** IMDb title id, `tt0111161`. */
  readonly imdb?: string | undefined;
  /** TMDB id, decimal digits. */
  readonly tmdb?: string | undefined;
  /** TheTVDB id, decimal digits. */
  readonly tvdb?: string | undefined;
  /** Trakt id, decimal digits. */
  readonly trakt?: string | undefined;
  /** Simkl id, decimal digits. */
  readonly simkl?: string | undefined;
  /** YouTube video id, eleven characters. */
  readonly youtube?: string | undefined;
  /** Spotify base-62 id, 22 characters, without the `spotify:track:` prefix. */
  readonly spotify?: string | undefined;
  /** TikTok video id, all digits kept. */
  readonly tiktok?: string | undefined;
  /** ISBN of a book, thirteen digits without dashes. */
  readonly isbn13?: string | undefined;
  /** Goodreads book id, decimal digits. */
  readonly goodreads?: string | undefined;
}

/** Any JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/**
 * One consumption (or like, save, rating) of one piece of media by one user, normalised.
 *
 * `(user, platform, externalId)` names it for ever: the same event seen twice has the same key, two real events have two keys.
 */
export interface MediaItem {
  /** Provider id of the service where it happened, such as `spotify`. */
  readonly platform: string;
  /** Name of this one event, stable across exports; built by `eventId()` of `@mca/core/provider-kit`. At most 512 characters. */
  readonly externalId: string;
  readonly type: MediaType;
  /** Finer kind, an open set: `short_video`, `tv_episode`, `movie`, `live`, … */
  readonly subtype?: string | undefined;
  readonly action: MediaAction;
  /** Title as the service shows it; a track, an episode, a film. Never empty. */
  readonly title: string;
  /** Artist, channel, show or author; absent when the source does not say. */
  readonly creator?: string | undefined;
  /** Start of the consumption wherever it can be known, UTC. */
  readonly consumedAt: Date;
  /** Full length of the content in milliseconds. */
  readonly durationMs?: number | undefined;
  /** Time really spent in this event, in milliseconds. */
  readonly timeSpentMs?: number | undefined;
  readonly tags: readonly string[];
  /** Web address of the content. */
  readonly url?: string | undefined;
  /** The thing consumed, in the service's own terms (track URI, video id). Two plays of one song share it. */
  readonly contentId?: string | undefined;
  readonly ids: MediaIds;
  /** Rating on a scale of 0 to 10, for `rated` items. */
  readonly rating?: number | undefined;
  /** Format or endpoint that reported the event, such as `extended-history`; one of the provider's declared sources. */
  readonly source: string;
  readonly precision: Precision;
  /** Profile or account label within the service, where one export holds several (Netflix profiles). */
  readonly account?: string | undefined;
  /** What else the source said and somebody may want; never personal data nobody needs. At most 16 KiB as JSON. */
  readonly rawMetadata: { readonly [key: string]: Json };
}

/** Names one stored item for ever. */
export interface ItemKey {
  readonly userId: string;
  readonly platform: string;
  readonly externalId: string;
}

/** A {@link MediaItem} as the store holds it. */
export interface StoredItem extends MediaItem {
  readonly userId: string;
  /** Position in the change feed; grows with every write to the item. */
  readonly sequence: number;
  /** Connection that first brought the item. */
  readonly connectionId: string;
  /** Import that first brought the item; absent when a live sync did. */
  readonly importId?: string | undefined;
}
