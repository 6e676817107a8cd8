import { pipeline, Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { McaError } from '../contracts/errors.ts';
import { asFileFailure, fileFailure, throwIfCancelled } from './file-failure.ts';
import type { ZipBytes, ZipLimits } from './zip.ts';
import { type ListedEntry, overlap } from './zip-directory.ts';

const READ_BYTES = 64 * 1024;
const LOCAL_HEADER_BYTES = 30;
const LOCAL_HEADER_SIGNATURE = 0x04034b50;

/** An entry about to be read. */
export interface EntryToRead {
  readonly archive: ZipBytes;
  readonly entry: ListedEntry;
  /** With the archive's in front. */
  readonly name: string;
  readonly limits: ZipLimits;
  readonly signal: AbortSignal | undefined;
  /** Told how much of the entry is decoded so far; throws when the archive as a whole becomes too much. */
  readonly claim: (decodedBytes: number) => void;
}

/** Decodes one entry, checking every byte against what the archive claimed and what is allowed. */
export async function openEntry(reading: EntryToRead): Promise<ReadableStream<Uint8Array>> {
  const { archive, entry, name } = reading;
  const start = await dataStart(archive, entry, name);
  const source = Readable.from(compressed(archive, start, entry.compressedBytes), { objectMode: false });
  const decoded = entry.isDeflated
    ? // Errors come out of the last stream of the pipeline, which is read below.
      pipeline(source, createInflateRaw({ chunkSize: READ_BYTES }), () => undefined)
    : source;
  const checked = check(decoded, reading);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await checked.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        decoded.destroy();
        await checked.return();
      },
    },
    { highWaterMark: 0 },
  );
}

/** The local header says where the data begin; only with it the range of the entry is certain. */
async function dataStart(archive: ZipBytes, entry: ListedEntry, name: string): Promise<number> {
  const header = await archive.read(entry.headerOffset, LOCAL_HEADER_BYTES);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (view.getUint32(0, true) !== LOCAL_HEADER_SIGNATURE) throw damaged(name);
  const start = entry.headerOffset + LOCAL_HEADER_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
  if (start + entry.compressedBytes > entry.endOffset) throw overlap(archive.name, entry.number);
  return start;
}

async function* compressed(archive: ZipBytes, start: number, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < length; at += READ_BYTES) {
    yield await archive.read(start + at, Math.min(READ_BYTES, length - at));
  }
}

async function* check(decoded: Readable, reading: EntryToRead): AsyncGenerator<Uint8Array, void, undefined> {
  const { entry, name, limits, signal, claim } = reading;
  let bytes = 0;
  let sum = 0;
  try {
    for await (const chunk of decoded as AsyncIterable<Uint8Array>) {
      throwIfCancelled(name, signal);
      bytes += chunk.length;
      if (bytes > limits.entryBytes) throw tooLarge(name, limits);
      if (bytes > limits.ratioFreeBytes && bytes > entry.compressedBytes * limits.ratio) throw bomb(name, limits);
      if (bytes > entry.decodedBytes) throw sizeMismatch(name, entry, `more than the ${entry.decodedBytes} bytes`);
      claim(bytes);
      sum = crc32(chunk, sum);
      yield chunk;
    }
  } catch (error) {
    if (McaError.isInstance(error)) throw error;
    throw /^Z_/.test(String((error as { code?: unknown }).code)) ? damaged(name, error) : asFileFailure(name, error);
  } finally {
    decoded.destroy();
  }
  if (bytes < entry.decodedBytes)
    throw sizeMismatch(name, entry, `${bytes} instead of the ${entry.decodedBytes} bytes`);
  if (sum !== entry.crc32) throw damaged(name);
}

function tooLarge(name: string, limits: ZipLimits): Error {
  return fileFailure(name, {
    reason: 'zip_entry_too_large',
    message: `${name} unpacks to more than ${limits.entryBytes} bytes.`,
    hint: 'Unpack the archive and import the files inside, if you trust it.',
  });
}

function bomb(name: string, limits: ZipLimits): Error {
  return fileFailure(name, {
    reason: 'zip_ratio',
    message: `${name} unpacks to more than ${limits.ratio} times its compressed size, as archives do that are made to do harm.`,
    hint: 'Download the archive again from the service itself.',
  });
}

function sizeMismatch(name: string, entry: ListedEntry, what: string): Error {
  return fileFailure(name, {
    reason: 'zip_size_mismatch',
    message: `${name} unpacks to ${what} that its archive claims.`,
    hint: 'Download the archive again.',
    position: { record: entry.number },
  });
}

function damaged(name: string, cause?: unknown): Error {
  return fileFailure(name, {
    reason: 'zip_damaged',
    message: `${name} is damaged inside its archive.`,
    hint: 'Download the archive again.',
    cause,
  });
}
