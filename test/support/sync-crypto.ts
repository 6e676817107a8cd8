import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';

/** What a key is here: its bytes. */
interface RawKey {
  readonly raw: Uint8Array;
}

interface GcmOptions {
  readonly iv: Uint8Array;
  readonly additionalData?: Uint8Array;
}

/**
 * WebCrypto that answers at once. The real one works on threads, which finish in an order of their own: two runs of one
 * simulation would differ. AES-GCM and SHA-256 of node:crypto, the same bytes.
 */
export const syncSubtle = {
  importKey: async (_format: string, raw: Uint8Array): Promise<RawKey> => ({ raw: Uint8Array.from(raw) }),
  async digest(_algorithm: string, data: Uint8Array): Promise<ArrayBuffer> {
    return Uint8Array.from(createHash('sha256').update(data).digest()).buffer;
  },
  async encrypt({ iv, additionalData }: GcmOptions, { raw }: RawKey, data: Uint8Array): Promise<ArrayBuffer> {
    const cipher = createCipheriv('aes-256-gcm', raw, iv, { authTagLength: 16 });
    if (additionalData) cipher.setAAD(additionalData);
    return Uint8Array.from(Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()])).buffer;
  },
  async decrypt({ iv, additionalData }: GcmOptions, { raw }: RawKey, data: Uint8Array): Promise<ArrayBuffer> {
    const bytes = Buffer.from(data);
    const decipher = createDecipheriv('aes-256-gcm', raw, iv, { authTagLength: 16 });
    if (additionalData) decipher.setAAD(additionalData);
    decipher.setAuthTag(bytes.subarray(-16));
    return Uint8Array.from(Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()])).buffer;
  },
};

/** Puts {@link syncSubtle} in place of the real one, and answers how to put it back. */
export function useSyncCrypto(): () => void {
  const real = Object.getOwnPropertyDescriptor(globalThis.crypto, 'subtle');
  Object.defineProperty(globalThis.crypto, 'subtle', { value: syncSubtle, configurable: true });
  return () => {
    if (real) Object.defineProperty(globalThis.crypto, 'subtle', real);
    else Reflect.deleteProperty(globalThis.crypto, 'subtle');
  };
}
