import type { MediaIds, MediaItem } from '../media-item.ts';
import type { Track } from '../track.ts';
import type { ProviderContext } from './context.ts';

/** A film, series or episode as a catalogue describes it, in the terms of {@link MediaItem}. What is not known is absent. */
export interface CatalogEntry
  extends Pick<MediaItem, 'type' | 'subtype' | 'title' | 'creator' | 'durationMs' | 'tags' | 'url' | 'ids'> {
  /** The catalogue's own name of it, with its kind where numbers overlap: `movie:296`, `tv:8592`. Goes into `details`. */
  readonly id: string;
  /** When it came out. */
  readonly year?: number | undefined;
}

/**
 * Looking things up by the ids that catalogues have for them. Nothing of a user is asked for, and nothing is kept.
 *
 * - `CAT-1` `lookup` gives the entry that an id of another catalogue names, with this id among its `ids`
 * - `CAT-2` an id that names things of several kinds gives an entry only when the kind is told: there is no guess
 * - `CAT-3` ids that the catalogue does not know give `undefined`; those it cannot be asked for, without a request
 * - `CAT-4` `details` of an entry's `id` gives the entry; an `id` that is gone, or no id of its own, gives `undefined`
 * - `CAT-5` entries are whole: tags in lower case and each once, no empty texts, no times and years of zero
 * - `CAT-6` what the service answers in error becomes an `McaError` of the documented code
 * - `CAT-7` an aborted signal ends a call with `cancelled`, at once
 */
export interface CatalogLookup {
  /**
   * The entry that one of these ids names.
   *
   * @param subtype kind that is looked for, as in `MediaItem.subtype`: `movie`, `tv_show`, `tv_episode`. Numbers of some
   *   catalogues mean nothing without it
   */
  lookup(context: ProviderContext, ids: MediaIds, subtype?: string): Promise<CatalogEntry | undefined>;
  /** The entry with this `id`. */
  details(context: ProviderContext, id: string): Promise<CatalogEntry | undefined>;
}

/** Finding things: by the ids of other catalogues, by ISRC, by text. Services implement what they have. */
export interface CatalogCapability {
  /** See {@link CatalogLookup}. */
  readonly lookup?: CatalogLookup['lookup'] | undefined;
  /** See {@link CatalogLookup}. */
  readonly details?: CatalogLookup['details'] | undefined;
  /** Tracks that match an ISRC or a text, best first. */
  readonly searchTracks?:
    | ((
        context: ProviderContext,
        query: { readonly isrc: string } | { readonly text: string },
      ) => Promise<readonly Track[]>)
    | undefined;
}

/** Adds tags and metadata from the platform's own knowledge (Last.fm tags, TMDB genres). */
export interface EnrichmentCapability {
  readonly types: readonly MediaItem['type'][];
  /** One entry per item, in order; `undefined` for an unknown one. */
  enrich(
    context: ProviderContext,
    items: readonly { readonly title: string; readonly creator?: string | undefined; readonly ids: MediaIds }[],
  ): Promise<readonly (CatalogEntry | undefined)[]>;
}
