import type { ImportFile } from '../contracts/import-file.ts';
import { throwIfCancelled } from './file-failure.ts';
import { createJsonSplitter } from './json-splitter.ts';
import { decodeText } from './text.ts';

/** A list element that is not valid JSON. Lines, columns (of its first character) and records count from 1. */
export interface MalformedJsonRecord {
  readonly record: number;
  readonly line: number;
  readonly column: number;
  /** snake_case; `invalid_json`. */
  readonly reason: string;
  /** One sentence without the content of the record. */
  readonly message: string;
}

/** Consecutive elements of one list, as they stand in the file. */
export interface JsonRecordBatch {
  /** Object keys from the root to the list; empty when the root is the list. */
  readonly path: readonly string[];
  /** Number of the first record of the batch, from 1, within its list; `records[i]` is number `first + i`. */
  readonly first: number;
  readonly records: readonly unknown[];
  /** Key of each record, when the list is a map. */
  readonly keys?: readonly string[];
  /** Elements that could not be parsed; they follow the records of the batch. */
  readonly malformed: readonly MalformedJsonRecord[];
}

/** What {@link readJsonRecords} should find. */
export interface JsonRecordOptions {
  /**
   * Asked for every object and array that is found by object keys alone, such as `['Activity', 'Likes', 'ItemList']`
   * (`[]` is a root object); true reads its elements or, of an object, its values. What lies inside arrays that are
   * not read is not asked for.
   *
   * @default only a root array is read
   */
  readonly lists?: ((path: readonly string[]) => boolean) | undefined;
  /** What the file must be. @default 'any' */
  readonly root?: 'array' | 'object' | 'any' | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads the elements of JSON lists from a file of any size, in constant memory.
 *
 * Integers of 16 or more digits arrive as strings with all their digits. Keys named `__proto__` are left out at every
 * depth (`constructor` and `prototype` are ordinary own keys), so records may be spread and assigned. Parts that
 * are not read are checked for structure only. An element that is not valid JSON is reported in `malformed` and the
 * ones around it survive, as long as its brackets and quotes are balanced. Within an object, of two equal keys the last
 * counts, but a list that stands there twice is read twice.
 *
 * @throws McaError `file_parse_error` with reason `json_truncated` (file not closed), `json_syntax` (damage between
 *   records), `json_root` (neither the list nor the object asked for), `json_too_deep` (more than 64 levels),
 *   `record_too_large` (more than 16 Mi characters), and those of `decodeText`; code `cancelled`
 * @example
 * ```ts
 * for await (const batch of readJsonRecords(file, { lists: (path) => path.at(-1) === 'VideoList' })) use(batch.records);
 * ```
 */
export async function* readJsonRecords(
  file: ImportFile,
  options: JsonRecordOptions = {},
): AsyncGenerator<JsonRecordBatch, void, undefined> {
  const { signal } = options;
  const splitter = createJsonSplitter(file.name, options);
  for await (let chunk of decodeText(file, { signal })) {
    let failure: { readonly error: unknown } | undefined;
    try {
      splitter.push(chunk);
    } catch (error) {
      failure = { error };
    }
    // What was read is parsed, and consumers take their time.
    chunk = '';
    for (const batch of splitter.take()) {
      throwIfCancelled(file.name, signal);
      yield batch;
    }
    if (failure) throw failure.error;
  }
  splitter.end();
}
