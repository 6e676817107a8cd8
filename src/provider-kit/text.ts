import type { ImportFile } from '../contracts/import-file.ts';
import { isCollectionNear } from './collection-near.ts';
import { asFileFailure, cancelled, fileFailure, throwIfCancelled } from './file-failure.ts';

/** Smallest piece worth handing on: below it, the cost per piece shows. */
const PIECE_BYTES_MIN = 32 * 1024;
/** Largest piece. V8 gives strings of 128 KiB and more pages of their own; parsing those costs a third more. */
const PIECE_BYTES_MAX = 64 * 1024;
/** Largest piece when V8 is about to collect: what is half read then is copied, and counts as lasting. */
const LAST_PIECE_BYTES_MAX = 16 * 1024;

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be';

/**
 * Reads a file as text, in strings of about 32 to 64 Ki characters, of 16 Ki when V8 is about to collect.
 *
 * UTF-8 with or without a byte order mark, UTF-16 only with one; the mark itself is left out. Nothing is ever
 * replaced silently. The stream underneath is cancelled when the caller stops early or aborts.
 *
 * @throws McaError `file_parse_error` with reason `invalid_encoding` and the exact `position.byte` and `line` when the
 *   bytes are anything else, also for half a character at the end; reason `file_unreadable` when the source fails;
 *   code `cancelled` when the signal fires, at once even while the source hangs
 */
export async function* decodeText(
  file: ImportFile,
  options: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<string, void, undefined> {
  const { signal } = options;
  let encoding: Encoding = 'utf-8';
  let decoder: TextDecoder | undefined;
  let offset = 0;
  let before: Uint8Array = new Uint8Array(0);
  for await (let piece of pieces(readBytes(file, signal))) {
    if (!decoder) {
      const detected = detect(piece);
      if (detected.invalidByte !== undefined) throw await invalidEncoding(file, detected.invalidByte, 'utf-8', signal);
      encoding = detected.encoding;
      decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
      offset = detected.markBytes;
      piece = piece.subarray(detected.markBytes);
    }
    const text = attempt(() => decoder?.decode(piece, { stream: true }));
    if (text === undefined) {
      throw await invalidEncoding(file, locateInvalid(encoding, before, piece, offset), encoding, signal);
    }
    offset += piece.length;
    before = piece.slice(-4);
    if (text !== '') yield text;
  }
  if (decoder && attempt(() => decoder.decode()) === undefined) {
    throw await invalidEncoding(file, locateInvalid(encoding, before, new Uint8Array(0), offset), encoding, signal);
  }
}

/** The bytes of a file as its source chunks them; cancels the source on early exit and answers an abort at once. */
export async function* readBytes(
  file: ImportFile,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  throwIfCancelled(file.name, signal);
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  let giveUp: ((error: Error) => void) | undefined;
  const onAbort = (): void => giveUp?.(cancelled(file.name, signal as AbortSignal));
  // One listener per file: racing every read against the signal would pile up reactions on a long-lived signal.
  const abortable = <T>(work: () => Promise<T> | T): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      giveUp = reject;
      Promise.resolve().then(work).then(resolve, reject);
    });
  signal?.addEventListener('abort', onAbort);
  try {
    const opened = await abortable(async () => {
      const stream = await file.open();
      // Kept at once: an abort between here and the next line must find it.
      reader = stream.getReader();
      if (signal?.aborted) void reader.cancel().catch(() => undefined);
      return reader;
    });
    for (;;) {
      const { done, value } = await abortable(() => opened.read());
      if (done) return;
      yield value;
      throwIfCancelled(file.name, signal);
    }
  } catch (error) {
    throw asFileFailure(file.name, error);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    const stopped = reader?.cancel().catch(() => undefined);
    // A source that hangs may hang here too; whoever aborts does not wait for it.
    if (!signal?.aborted) await stopped;
  }
}

/** Small chunks are joined, large ones cut. */
async function* pieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue;
    waiting.push(chunk);
    bytes += chunk.length;
    if (bytes < PIECE_BYTES_MIN) continue;
    const joined = join(waiting, bytes);
    waiting = [];
    bytes = 0;
    for (let start = 0, size = 0; start < joined.length; start += size) {
      size = pieceSize(joined.length - start);
      yield joined.subarray(start, start + size);
    }
  }
  if (bytes > 0) yield join(waiting, bytes);
}

/** Of what is left of a chunk, evenly cut. */
function pieceSize(left: number): number {
  const most = isCollectionNear() ? LAST_PIECE_BYTES_MAX : PIECE_BYTES_MAX;
  return Math.ceil(left / Math.ceil(left / most));
}

function join(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const [first] = chunks;
  if (chunks.length === 1 && first) return first;
  const joined = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

function detect(head: Uint8Array): { encoding: Encoding; markBytes: number; invalidByte?: number } {
  const [a, b, c, d] = head;
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: 'utf-8', markBytes: 3 };
  if (a === 0xff && b === 0xfe) {
    // The mark of UTF-32LE begins like that of UTF-16LE; text never starts with a NUL.
    if (c === 0 && d === 0) return { encoding: 'utf-8', markBytes: 0, invalidByte: 0 };
    return { encoding: 'utf-16le', markBytes: 2 };
  }
  if (a === 0xfe && b === 0xff) return { encoding: 'utf-16be', markBytes: 2 };
  // UTF-16 and UTF-32 without a mark are valid UTF-8 when they hold ASCII, but show a NUL among their first bytes.
  const nul = head.subarray(0, 4).indexOf(0);
  return nul === -1 ? { encoding: 'utf-8', markBytes: 0 } : { encoding: 'utf-8', markBytes: 0, invalidByte: nul };
}

function attempt(decode: () => string | undefined): string | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}

/** Offset in the file of the first byte that is not text. Only asked once decoding failed, so it may take its time. */
function locateInvalid(encoding: Encoding, before: Uint8Array, piece: Uint8Array, offset: number): number {
  const bytes = join([before, piece], before.length + piece.length);
  const start = offset - before.length;
  if (encoding === 'utf-8') return start + invalidUtf8(bytes, before.length);
  return start + invalidUtf16(bytes, before.length, start % 2, encoding);
}

function invalidUtf8(bytes: Uint8Array, decodedBefore: number): number {
  let at = 0;
  // What came before decoded well: continuation bytes at its cut belong to a character that is cut off here.
  while (at < decodedBefore && ((bytes[at] ?? 0) & 0xc0) === 0x80) at += 1;
  while (at < bytes.length) {
    const lead = bytes[at] ?? 0;
    const more = lead < 0x80 ? 0 : lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1;
    if (more === -1) return at;
    for (let k = 1; k <= more; k += 1) {
      const byte = bytes[at + k] ?? 0;
      // Overlong forms, surrogates and code points above U+10FFFF show in the second byte.
      const low = k > 1 ? 0x80 : lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
      const high = k > 1 ? 0xbf : lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
      if (byte < low || byte > high) return at;
    }
    at += more + 1;
  }
  return bytes.length;
}

function invalidUtf16(bytes: Uint8Array, decodedBefore: number, misaligned: number, encoding: Encoding): number {
  const high = encoding === 'utf-16le' ? 1 : 0;
  const isLowSurrogate = (at: number): boolean => ((bytes[at + high] ?? 0) & 0xfc) === 0xdc;
  let at = misaligned;
  // What came before decoded well: the high half of this pair lies before the bytes we kept.
  if (decodedBefore > 0 && isLowSurrogate(at)) at += 2;
  for (; at + 1 < bytes.length; at += 2) {
    const top = (bytes[at + high] ?? 0) & 0xfc;
    if (top === 0xdc) return at;
    if (top !== 0xd8) continue;
    if (at + 3 >= bytes.length || !isLowSurrogate(at + 2)) return at;
    at += 2;
  }
  return at;
}

async function invalidEncoding(
  file: ImportFile,
  byte: number,
  encoding: Encoding,
  signal: AbortSignal | undefined,
): Promise<Error> {
  const line = await lineOf(file, byte, encoding, signal);
  throwIfCancelled(file.name, signal);
  return fileFailure(file.name, {
    reason: 'invalid_encoding',
    message: `${file.name} is not ${encoding.toUpperCase()} text: byte ${byte}${line ? ` (line ${line})` : ''} does not fit.`,
    hint: 'Save the file as UTF-8, or download the export again.',
    position: { byte, line },
  });
}

/** Counts lines by reading again: good files, which are nearly all, pay nothing for it. */
async function lineOf(
  file: ImportFile,
  byte: number,
  encoding: Encoding,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  let line = 1;
  let offset = 0;
  let previous = 0;
  try {
    for await (const chunk of readBytes(file, signal)) {
      for (let i = 0; i < chunk.length && offset + i < byte; i += 1) {
        const current = chunk[i] ?? 0;
        const odd = (offset + i) % 2 === 1;
        if (encoding === 'utf-8' && current === 10) line += 1;
        if (encoding === 'utf-16le' && odd && previous === 10 && current === 0) line += 1;
        if (encoding === 'utf-16be' && odd && previous === 0 && current === 10) line += 1;
        previous = current;
      }
      offset += chunk.length;
      if (offset >= byte) break;
    }
    return line;
  } catch {
    return undefined;
  }
}
