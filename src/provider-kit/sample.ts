import type { ImportFile } from '../contracts/import-file.ts';
import type { FileSample } from './format.ts';
import { readBytes } from './text.ts';

const SAMPLE_BYTES = 64 * 1024;

/** Last part of a path, inside archives too. */
export function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('!'), path.lastIndexOf('\\')) + 1);
}

/** The first bytes of a file, fewer when it is shorter. */
export async function readHead(file: ImportFile, length: number, signal: AbortSignal): Promise<Uint8Array> {
  const head = new Uint8Array(length);
  let filled = 0;
  for await (const bytes of readBytes(file, signal)) {
    const part = bytes.subarray(0, length - filled);
    head.set(part, filled);
    filled += part.length;
    if (filled === length) break;
  }
  return head.subarray(0, filled);
}

/** Name and beginning of a file. Decoding is lenient here: damage is reported when the file is read. */
export async function readSample(file: ImportFile, signal: AbortSignal): Promise<FileSample> {
  const head = await readHead(file, SAMPLE_BYTES, signal);
  const encoding =
    head[0] === 0xff && head[1] === 0xfe ? 'utf-16le' : head[0] === 0xfe && head[1] === 0xff ? 'utf-16be' : 'utf-8';
  const path = file.name.slice(file.name.lastIndexOf('!') + 1);
  return { name: baseName(file.name), path, text: new TextDecoder(encoding).decode(head) };
}
