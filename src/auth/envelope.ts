import type { Random } from '../contracts/env.ts';
import { McaError } from '../contracts/errors.ts';
import type { KeyProvider } from '../contracts/keys.ts';
import { type Bytes, fromBase64Url, joinBytes, ownBytes, toBase64Url, utf8 } from '../runtime/encoding.ts';
import type { DataKeys } from './data-keys.ts';

const VERSION = 'mca1';
const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Where a sealed text belongs. It opens there and nowhere else: not under another user, connection or field. */
export interface SealPlace {
  readonly userId: string;
  readonly provider: string;
  /** Id of the connection; for connect flows, which have none yet, the hash of their state. */
  readonly connectionId: string;
  readonly field: 'credentials' | 'connect-state';
}

/** What sealing works with. */
export interface Sealer {
  readonly keys: KeyProvider;
  readonly random: Random;
  readonly dataKeys: DataKeys;
}

/** Seals a text with a data key and an IV of its own, and the data key with the primary key. */
export async function seal(sealer: Sealer, place: SealPlace, text: string): Promise<string> {
  const keyId = await ask(() => sealer.keys.primaryKeyId());
  if (!KEY_ID.test(keyId)) {
    throw new McaError({
      code: 'configuration',
      reason: 'invalid_key',
      message: 'The key provider named its primary key in a way that envelopes cannot carry.',
      hint: 'Ids of keys are 1 to 64 characters of A-Za-z0-9_-.',
    });
  }
  const context = contextOf(place, keyId);
  const dataKey = ownBytes(sealer.random.bytes(32));
  const wrapped = await ask(() => sealer.keys.wrap(keyId, dataKey, context));
  const key = await importDataKey(dataKey);
  dataKey.fill(0);
  const iv = ownBytes(sealer.random.bytes(IV_BYTES));
  const sealed = new Uint8Array(
    await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: context, tagLength: 128 }, key, utf8(text)),
  );
  // What was just written is mostly read next: it opens without asking the key service again.
  sealer.dataKeys.remember(cacheName(context, wrapped), key);
  const end = sealed.length - TAG_BYTES;
  const parts = [wrapped, iv, sealed.subarray(0, end), sealed.subarray(end)];
  return [VERSION, keyId, ...parts.map(toBase64Url)].join('.');
}

/**
 * Opens what {@link seal} made for the same place. There is no way in for anything that is not an envelope.
 *
 * @throws McaError `storage` `credential_tampered` when it is not what was sealed for this place
 * @throws McaError `configuration` `key_unavailable` when the key it was sealed with is unknown or disabled
 */
export async function unseal(sealer: Sealer, place: SealPlace, envelope: string): Promise<string> {
  const parts = parse(envelope);
  if (!parts) throw tampered();
  const context = contextOf(place, parts.keyId);
  const name = cacheName(context, parts.wrapped);
  const key = await sealer.dataKeys.get(name, async () => {
    const dataKey = ownBytes(await ask(() => sealer.keys.unwrap(parts.keyId, parts.wrapped, context)));
    if (dataKey.length !== 32) throw tampered();
    const imported = await importDataKey(dataKey);
    dataKey.fill(0);
    return imported;
  });
  try {
    const plain = await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv: parts.iv, additionalData: context, tagLength: 128 },
      key,
      parts.sealed,
    );
    return new TextDecoder('utf-8', { fatal: true }).decode(plain);
  } catch {
    throw tampered();
  }
}

/** Id of the key an envelope was sealed with, or `undefined` when it is no envelope. */
export function keyIdOf(envelope: string): string | undefined {
  return parse(envelope)?.keyId;
}

/** Errors of a key service may carry requests and answers; ours never do. */
async function ask<Answer>(question: () => Promise<Answer>): Promise<Answer> {
  try {
    return await question();
  } catch (cause) {
    if (McaError.isInstance(cause)) throw cause;
    throw new McaError({
      code: 'storage',
      reason: 'key_service_failed',
      message: 'The key provider failed, so that credentials can be neither opened nor sealed.',
      hint: 'Nothing is lost: try again when the key service works.',
      retryable: true,
      cause,
    });
  }
}

/** The error for stored secrets that are not what was stored. */
export function tampered(): McaError {
  return new McaError({
    code: 'storage',
    reason: 'credential_tampered',
    message: 'Stored credentials are not what was stored: they were changed, damaged or moved.',
    hint: 'Connect the account again. If this happens to many connections, look at who writes to the credential store.',
  });
}

interface Parts {
  readonly keyId: string;
  readonly wrapped: Bytes;
  readonly iv: Bytes;
  /** Cipher text and tag, as WebCrypto takes them. */
  readonly sealed: Bytes;
}

function parse(envelope: string): Parts | undefined {
  const [version, keyId = '', ...encoded] = String(envelope).split('.');
  if (version !== VERSION || !KEY_ID.test(keyId) || encoded.length !== 4) return undefined;
  const [wrapped, iv, text, tag] = encoded.map(fromBase64Url);
  // A short tag would be easier to guess; WebCrypto would take the missing bytes from the cipher text.
  if (!wrapped?.length || iv?.length !== IV_BYTES || !text || tag?.length !== TAG_BYTES) return undefined;
  return { keyId, wrapped, iv, sealed: joinBytes(text, tag) };
}

/** What the seal is bound to. Each part is preceded by its length, so that no two places look alike. */
function contextOf(place: SealPlace, keyId: string): Bytes {
  const fields = [VERSION, place.userId, place.provider, place.connectionId, place.field, keyId].map(utf8);
  return joinBytes(...fields.flatMap((field) => [lengthOf(field), field]));
}

function lengthOf(field: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, field.length);
  return bytes;
}

function cacheName(context: Uint8Array, wrapped: Uint8Array): string {
  return `${toBase64Url(context)}.${toBase64Url(wrapped)}`;
}

function importDataKey(bytes: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']);
}
