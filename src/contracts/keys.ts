/**
 * Keys that seal other keys. Asynchronous, so that a key management service fits; `keyRing` of `@mca/core` holds keys
 * in memory.
 *
 * A data key is 32 random bytes, new for every write. `context` is bound to it: unwrapping with another one must fail.
 */
export interface KeyProvider {
  /** Id of the key that seals what is written now; 1 to 64 characters of `A-Za-z0-9_-`. */
  primaryKeyId(): Promise<string>;
  /** Seals a data key with the named key. */
  wrap(keyId: string, dataKey: Uint8Array, context: Uint8Array): Promise<Uint8Array>;
  /**
   * Opens a sealed data key.
   *
   * @throws McaError `configuration` `key_unavailable` for an unknown or disabled key
   * @throws McaError `storage` `credential_tampered` when key, context or bytes are not those it was sealed with
   */
  unwrap(keyId: string, wrapped: Uint8Array, context: Uint8Array): Promise<Uint8Array>;
}
