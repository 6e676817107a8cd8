/** A playlist as its service lists it, without its tracks. */
export interface Playlist {
  readonly id: string;
  readonly name: string;
  readonly description?: string | undefined;
  /** Cover address; empty when the service has none. */
  readonly imageUrl: string;
  /** Display name or id of the owner. */
  readonly owner: string;
  readonly trackCount: number;
  /** Changes whenever the content changes (Spotify's `snapshot_id`); absent when the service has no such thing. */
  readonly revision?: string | undefined;
  readonly url?: string | undefined;
}
