import { hash } from 'node:crypto';

/** Not part of what is signed, whatever the documentation of a method lists. */
const UNSIGNED: readonly string[] = ['format', 'callback', 'api_sig'];

/**
 * `api_sig` of a call: names and values in byte order of the names, without separators, then the secret, as MD5.
 *
 * Byte order, not that of a language: `artist[10]` stands before `artist[1]`'s neighbours as ASCII has it.
 */
export function signatureOf(parameters: Iterable<readonly [string, string]>, sharedSecret: string): string {
  const signed = [...parameters].filter(([name]) => !UNSIGNED.includes(name));
  signed.sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  return hash('md5', signed.map(([name, value]) => name + value).join('') + sharedSecret);
}
