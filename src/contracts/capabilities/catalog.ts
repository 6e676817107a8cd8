import type { MediaIds, MediaType } from '../media-item.ts';
import type { Track } from '../track.ts';
import type { ProviderContext } from './context.ts';

/** A film, series or episode as a catalogue describes it. */
export interface CatalogEntry {
  readonly type: MediaType;
  readonly title: string;
  readonly year?: number | undefined;
  readonly ids: MediaIds;
  readonly tags: readonly string[];
}

/** Finding things: by ISRC, by text, by the id of another catalogue. Services implement what they have. */
export interface CatalogCapability {
  /** Tracks that match an ISRC or a text, best first. */
  readonly searchTracks?:
    | ((
        context: ProviderContext,
        query: { readonly isrc: string } | { readonly text: string },
      ) => Promise<readonly Track[]>)
    | undefined;
  /** The entry that one of these ids names. */
  readonly lookup?: ((context: ProviderContext, ids: MediaIds) => Promise<CatalogEntry | undefined>) | undefined;
}

/** Adds tags and metadata from the platform's own knowledge (Last.fm tags, TMDB genres). */
export interface EnrichmentCapability {
  readonly types: readonly MediaType[];
  /** One entry per item, in order; `undefined` for an unknown one. */
  enrich(
    context: ProviderContext,
    items: readonly { readonly title: string; readonly creator?: string | undefined; readonly ids: MediaIds }[],
  ): Promise<readonly (CatalogEntry | undefined)[]>;
}
