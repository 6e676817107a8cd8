import { hash } from 'node:crypto';

interface RawKey {
  readonly raw: Uint8Array;
}

interface GcmOptions {
  readonly iv: Uint8Array;
  readonly additionalData?: Uint8Array;
}

const TAG_BYTES = 16;

/**
 * WebCrypto for simulated lives: answers at once, in an order that is always the same, and costs next to nothing. Hides
 * nothing from anybody who looks for it, but text is not readable, and only the same key, nonce and place open it.
 */
const subtle = {
  importKey: async (_format: string, raw: Uint8Array): Promise<RawKey> => ({ raw: Uint8Array.from(raw) }),
  digest: async (_algorithm: string, data: Uint8Array): Promise<ArrayBuffer> =>
    Uint8Array.from(hash('sha256', data, 'buffer')).buffer,
  async encrypt(options: GcmOptions, { raw }: RawKey, data: Uint8Array): Promise<ArrayBuffer> {
    const sealed = new Uint8Array(data.length + TAG_BYTES);
    mask(data, raw, sealed);
    sealed.set(tagOf(options, raw, data), data.length);
    return sealed.buffer;
  },
  async decrypt(options: GcmOptions, { raw }: RawKey, data: Uint8Array): Promise<ArrayBuffer> {
    const text = new Uint8Array(data.length - TAG_BYTES);
    mask(data.subarray(0, -TAG_BYTES), raw, text);
    const tag = tagOf(options, raw, text);
    if (tag.some((byte, index) => byte !== data[text.length + index])) throw new Error('The tag does not fit.');
    return text.buffer;
  },
};

function mask(data: Uint8Array, key: Uint8Array, into: Uint8Array): void {
  for (let at = 0; at < data.length; at += 1)
    into[at] = (data[at] ?? 0) ^ (key[at % key.length] ?? 0) ^ ((at * 31) & 255);
}

/** FNV-1a over everything, from four beginnings. */
function tagOf({ iv, additionalData }: GcmOptions, key: Uint8Array, data: Uint8Array): Uint8Array {
  let sum = 2_166_136_261;
  for (const part of [key, iv, additionalData ?? new Uint8Array(), data])
    for (let at = 0; at < part.length; at += 1) sum = Math.imul(sum ^ (part[at] ?? 0), 16_777_619);
  const tag = new DataView(new ArrayBuffer(TAG_BYTES));
  for (let index = 0; index < 4; index += 1) tag.setInt32(index * 4, Math.imul(sum + index, 16_777_619));
  return new Uint8Array(tag.buffer);
}

/** Puts it in place of the real one, and answers how to put that back. */
export function useSimulatedCrypto(): () => void {
  const real = Object.getOwnPropertyDescriptor(globalThis.crypto, 'subtle');
  Object.defineProperty(globalThis.crypto, 'subtle', { value: subtle, configurable: true });
  return () => {
    if (real) Object.defineProperty(globalThis.crypto, 'subtle', real);
    else Reflect.deleteProperty(globalThis.crypto, 'subtle');
  };
}
