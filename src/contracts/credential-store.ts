/** One connection's secrets, sealed by the core before they get here: the store never sees plain text. */
export interface SealedCredential {
  readonly connectionId: string;
  /** Grows with each write. */
  readonly version: number;
  /** The envelope `mca1.<key id>.…`. */
  readonly sealed: string;
}

/**
 * Where sealed credentials live.
 *
 * - `CRED-1` `put` succeeds only when the stored version is the expected one; of many at once exactly one wins
 * - `CRED-2` a loser changes nothing and is told the current version by `get`
 * - `CRED-3` after `delete` nothing is left, and a new `put` expects no version
 * - `CRED-4` `list` pages through all credentials in a stable order
 * - `CRED-5` what was put is there after closing and opening again (durable adapters)
 */
export interface CredentialStore {
  readonly apiVersion: 1;
  /** The stored credential, or `undefined`. */
  get(connectionId: string): Promise<SealedCredential | undefined>;
  /**
   * Stores when the current version is `expectedVersion` (`undefined`: none is stored yet).
   *
   * @returns the new version, or `undefined` when somebody else was faster
   */
  put(
    connectionId: string,
    sealed: string,
    expectedVersion: number | undefined,
  ): Promise<{ readonly version: number } | undefined>;
  /** Forgets the credential; nothing happens when there is none. */
  delete(connectionId: string): Promise<void>;
  /** Pages by connection id, for key rotation. */
  list(request: { readonly after?: string | undefined; readonly limit: number }): Promise<readonly SealedCredential[]>;
}
