import { createWriteStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ImportFile } from '@mca/core';
import { Refusal } from './security.ts';

/** A file on disk that somebody uploaded. */
export interface Upload {
  readonly file: ImportFile;
  readonly size: number;
  /** Whoever gets it removes it. */
  remove(): Promise<void>;
}

/** Where uploads go, and what they may be. */
export interface UploadLimits {
  readonly folder: string;
  /** All files of a form together. */
  readonly mostBytes: number;
  /** How many may come and be read at a time, of everybody together. */
  readonly atOnce: number;
  /** For how long nothing may come. */
  readonly idleMs: number;
}

interface Place extends Pick<UploadLimits, 'folder' | 'mostBytes'> {
  readonly fileName: string;
  /** Of `mostBytes`, after the files before. */
  readonly left: number;
}

/**
 * Streams an upload to disk. The file is called `upload` in a folder of its own: the name that the browser says is only
 * shown and matched.
 *
 * @throws Refusal 413 when it is longer than what is `left` of `mostBytes`; then nothing of it is left
 */
export async function storeUpload(
  bytes: AsyncIterable<Buffer>,
  { fileName, mostBytes, left, folder: parent }: Place,
): Promise<Upload> {
  const folder = await mkdtemp(join(parent, 'upload-'));
  const path = join(folder, 'upload');
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  let size = 0;
  async function* counted(): AsyncGenerator<Buffer, void, undefined> {
    for await (const piece of bytes) {
      size += piece.length;
      if (size > left) throw tooLong(mostBytes);
      yield piece;
    }
  }
  try {
    await pipeline(counted, createWriteStream(path, { mode: 0o600, flags: 'wx' }));
  } catch (error) {
    await remove();
    throw error;
  }
  return { file: fileAt(path, nameToShow(fileName), size), size, remove };
}

/** What is said of a file that is too long. */
export function tooLong(mostBytes: number): Refusal {
  return new Refusal(413, 'This is too long', `Files may have up to ${Math.floor(mostBytes / 1_048_576)} MB together.`);
}

/** The last part of whatever the browser said, without control characters. */
function nameToShow(fileName: string): string {
  const last = fileName.split(/[/\\]/).at(-1) ?? '';
  return last.replace(/\p{Cc}/gu, '').slice(0, 120) || 'upload';
}

/** A file for `importFile` whose name is not its path. */
function fileAt(path: string, name: string, size: number): ImportFile {
  return {
    name,
    size,
    async open() {
      const handle = await open(path);
      return Readable.toWeb(handle.createReadStream()) as ReadableStream<Uint8Array>;
    },
    async read(offset, length) {
      const handle = await open(path);
      try {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
        return buffer.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    },
  };
}
