import type { Random } from '../contracts/env.ts';
import { McaError } from '../contracts/errors.ts';
import type { KeyProvider } from '../contracts/keys.ts';
import { type Bytes, fromBase64, joinBytes, ownBytes } from '../runtime/encoding.ts';
import { systemRandom } from '../runtime/env.ts';
import { tampered } from './envelope.ts';

const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** NIST SP 800-38D: with random IVs one key seals at most so often. */
const MOST_USES = 4_294_967_296;

/** Options of {@link keyRing}. */
export interface KeyRingOptions {
  /** Id of the key that seals what is written from now on. */
  readonly primary: string;
  /** Keys by id: base64 of exactly 32 random bytes each (`openssl rand -base64 32`). */
  readonly keys: Readonly<Record<string, string | undefined>>;
  /** Ids of keys that must not be used any more, not even to open what they sealed. */
  readonly disabled?: readonly string[] | undefined;
  /** Source of IVs. @default the runtime's */
  readonly random?: Random | undefined;
}

/** Keys in memory, as {@link keyRing} makes them. */
export interface KeyRing extends KeyProvider {
  /** How often this key sealed something in this process. One key is good for 2^32 times in all processes together. */
  uses(keyId: string): number;
}

/**
 * Keys that seal credentials, held in memory. To change the key, add a new one, make it primary, run
 * `rewrapCredentials`, and take the old one out.
 *
 * @throws McaError `configuration` `invalid_key` for anything but base64 of 32 bytes
 * @example
 * ```ts
 * import { keyRing } from '@mca/core';
 *
 * const keys = keyRing({ primary: 'k2', keys: { k1: process.env.MCA_KEY_1, k2: process.env.MCA_KEY_2 } });
 * ```
 */
export function keyRing(options: KeyRingOptions): KeyRing {
  const { primary, disabled = [], random = systemRandom } = options;
  const raw = new Map(Object.entries(options.keys).map(([id, value]) => [id, decodeKey(id, value)]));
  if (!raw.has(primary)) {
    throw invalidKey(
      `The primary key "${primary}" is not among the keys.`,
      `Known are: ${[...raw.keys()].join(', ')}.`,
    );
  }
  if (disabled.includes(primary)) {
    throw invalidKey(`The primary key "${primary}" is disabled.`, 'Make another key primary, or enable this one.');
  }
  const imported = new Map<string, Promise<CryptoKey>>();
  const uses = new Map<string, number>();

  function keyFor(id: string): Promise<CryptoKey> {
    const bytes = raw.get(id);
    if (!bytes || disabled.includes(id)) throw keyUnavailable(id);
    const key = imported.get(id) ?? crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']);
    imported.set(id, key);
    return key;
  }

  return {
    primaryKeyId: async () => primary,
    uses: (keyId) => uses.get(keyId) ?? 0,
    async wrap(keyId, dataKey, context) {
      const key = await keyFor(keyId);
      const count = (uses.get(keyId) ?? 0) + 1;
      if (count > MOST_USES) throw invalidKey(`Key "${keyId}" sealed too much.`, 'Make a new key primary.');
      uses.set(keyId, count);
      const iv = ownBytes(random.bytes(IV_BYTES));
      const sealed = await crypto.subtle.encrypt(
        { name: 'AES-GCM', iv, additionalData: ownBytes(context), tagLength: 128 },
        key,
        ownBytes(dataKey),
      );
      return joinBytes(iv, new Uint8Array(sealed));
    },
    async unwrap(keyId, wrapped, context) {
      const key = await keyFor(keyId);
      if (wrapped.length !== IV_BYTES + 32 + TAG_BYTES) throw tampered();
      const bytes = ownBytes(wrapped);
      try {
        const opened = await crypto.subtle.decrypt(
          {
            name: 'AES-GCM',
            iv: bytes.slice(0, IV_BYTES),
            additionalData: ownBytes(context),
            tagLength: 128,
          },
          key,
          bytes.slice(IV_BYTES),
        );
        return new Uint8Array(opened);
      } catch {
        throw tampered();
      }
    },
  };
}

/** The key everybody knows, for `insecurePlaintextForTests`: the same path as real keys, and no secret at all. */
export function insecureKeyRing(random: Random): KeyRing {
  return keyRing({ primary: 'insecure', keys: { insecure: btoa('everybody knows this, no secret!') }, random });
}

function decodeKey(id: string, value: string | undefined): Bytes {
  if (!KEY_ID.test(id)) {
    throw invalidKey('The id of a key is malformed.', 'Ids are 1 to 64 characters of A-Za-z0-9_-.');
  }
  if (typeof value !== 'string' || value === '') {
    throw invalidKey(
      `Key "${id}" is empty.`,
      'Is its environment variable set? Make a key with: openssl rand -base64 32',
    );
  }
  const bytes = /^[A-Za-z0-9+/]{43}=?$/.test(value) ? fromBase64(value) : undefined;
  if (bytes?.length === 32) return bytes;
  throw invalidKey(
    `Key "${id}" is not base64 of exactly 32 bytes. Passphrases are no keys.`,
    'Make a key with: openssl rand -base64 32',
  );
}

function invalidKey(message: string, hint: string): McaError {
  return new McaError({ code: 'configuration', reason: 'invalid_key', message, hint });
}

function keyUnavailable(id: string): McaError {
  return new McaError({
    code: 'configuration',
    reason: 'key_unavailable',
    message: `Credentials were sealed with key "${id}", which is not in the key ring or is disabled.`,
    hint: 'Add the key again until rewrapCredentials has moved everything to the primary key.',
  });
}
