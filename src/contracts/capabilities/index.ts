import type { CatalogCapability, EnrichmentCapability } from './catalog.ts';
import type { FileImportCapability } from './file-import.ts';
import type { HistoryCapability, LibraryCapability, RatingsCapability } from './history.ts';
import type { PlaylistEditingCapability, PlaylistsCapability } from './playlists.ts';
import type {
  NowPlayingCapability,
  RatingWritingCapability,
  ScrobblingCapability,
  SessionCheckCapability,
} from './scrobbling.ts';

/** Everything a provider can be able to do. A provider has a capability if and only if it has the key. */
export interface CapabilityMap {
  readonly history: HistoryCapability;
  readonly library: LibraryCapability;
  readonly ratings: RatingsCapability;
  // biome-ignore lint/suspicious/noExplicitAny: each importer has options of its own; `any` lets them all fit
  readonly fileImport: FileImportCapability<any, any>;
  readonly playlists: PlaylistsCapability;
  readonly playlistEditing: PlaylistEditingCapability;
  readonly catalog: CatalogCapability;
  readonly enrichment: EnrichmentCapability;
  readonly scrobbling: ScrobblingCapability;
  readonly nowPlaying: NowPlayingCapability;
  readonly ratingWriting: RatingWritingCapability;
  readonly sessionCheck: SessionCheckCapability;
}

/** Name of a capability. */
export type CapabilityName = keyof CapabilityMap;

/** Name of a capability that is paged incrementally, and therefore synced by schedule. */
export type IncrementalName = 'history' | 'library' | 'ratings';

/** All names of {@link IncrementalName}. */
export const INCREMENTAL_NAMES: readonly IncrementalName[] = ['history', 'library', 'ratings'];

/** All capability names; registration refuses others. */
export const CAPABILITY_NAMES: readonly CapabilityName[] = [
  'history',
  'library',
  'ratings',
  'fileImport',
  'playlists',
  'playlistEditing',
  'catalog',
  'enrichment',
  'scrobbling',
  'nowPlaying',
  'ratingWriting',
  'sessionCheck',
];

export type * from './catalog.ts';
export type * from './context.ts';
export type * from './file-import.ts';
export type * from './history.ts';
export type * from './playlists.ts';
export type * from './scrobbling.ts';
