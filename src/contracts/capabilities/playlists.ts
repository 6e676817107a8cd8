import type { Playlist } from '../playlist.ts';
import type { Track } from '../track.ts';
import type { ProviderContext } from './context.ts';
import type { PageRequest } from './history.ts';

/**
 * Reading playlists, page by page.
 *
 * - `LIST-1` pages together hold every playlist (track) once, in the order of the service, duplicates within a playlist kept
 */
export interface PlaylistsCapability {
  /** One page of the account's playlists. */
  listPage(
    context: ProviderContext,
    request: PageRequest,
  ): Promise<{ readonly playlists: readonly Playlist[]; readonly cursor: string | undefined }>;
  /** One page of a playlist's tracks. */
  tracksPage(
    context: ProviderContext,
    request: PageRequest & { readonly playlistId: string },
  ): Promise<{ readonly tracks: readonly Track[]; readonly cursor: string | undefined }>;
}

/**
 * Changing playlists. The engine chunks to `maxTracksPerCall`.
 *
 * - `EDIT-1` after `replaceTracks` and `addTracks` the playlist holds exactly what was sent, in order
 */
export interface PlaylistEditingCapability {
  readonly maxTracksPerCall: number;
  /** Makes an empty playlist. */
  create(
    context: ProviderContext,
    playlist: {
      readonly name: string;
      readonly description?: string | undefined;
      readonly public?: boolean | undefined;
    },
  ): Promise<Playlist>;
  /** Replaces all tracks, if the playlist still has this revision. */
  replaceTracks(
    context: ProviderContext,
    request: {
      readonly playlistId: string;
      readonly trackIds: readonly string[];
      readonly revision?: string | undefined;
    },
  ): Promise<{ readonly revision?: string | undefined }>;
  /** Appends tracks. */
  addTracks(
    context: ProviderContext,
    request: { readonly playlistId: string; readonly trackIds: readonly string[] },
  ): Promise<{ readonly revision?: string | undefined }>;
  /** Deletes the playlist, or unfollows it where that is all a service offers. */
  delete(context: ProviderContext, playlistId: string): Promise<void>;
}
