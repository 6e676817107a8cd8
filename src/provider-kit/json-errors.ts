import type { FilePosition } from '../contracts/errors.ts';
import { fileFailure } from './file-failure.ts';
import { JSON_DEPTH_MAX } from './json-values.ts';

/** Longest element or key, in characters. */
export const JSON_RECORD_LENGTH_MAX: number = 16 * 1024 * 1024;

/** Damage between records. */
export function jsonSyntax(file: string, what: string, position: FilePosition): Error {
  return fileFailure(file, {
    reason: 'json_syntax',
    message: `${file} is not valid JSON: ${what} at line ${position.line}, column ${position.column}.`,
    hint: 'Download the export again; if it was edited, undo that.',
    position,
  });
}

/** More levels than any export has. */
export function jsonTooDeep(file: string, position: FilePosition): Error {
  return fileFailure(file, {
    reason: 'json_too_deep',
    message: `${file} nests deeper than ${JSON_DEPTH_MAX} levels, which no export does.`,
    hint: 'Check that this is the file you wanted to import.',
    position,
  });
}

/** A record that does not end. */
export function jsonTooLarge(file: string, position: FilePosition): Error {
  return fileFailure(file, {
    reason: 'record_too_large',
    message: `A record of ${file}, from line ${position.line}, is longer than ${JSON_RECORD_LENGTH_MAX} characters.`,
    hint: 'Check that this is the file you wanted to import, or download it again.',
    position,
  });
}

/** Another kind of file than the one asked for. */
export function jsonRoot(file: string, root: 'array' | 'object' | 'any', found: string, position: FilePosition): Error {
  const wanted = root === 'array' ? 'a list' : root === 'object' ? 'an object' : 'a list or an object';
  return fileFailure(file, {
    reason: 'json_root',
    message: `${file} holds ${found} where ${wanted} was expected.`,
    hint: 'Check that this is the file you wanted to import: another file of the export looks similar.',
    position,
  });
}

/** The end came too early; `inside` is where the unfinished value begins. */
export function jsonTruncated(file: string, inside: FilePosition | undefined, position: FilePosition): Error {
  const open = inside ? `, inside a value that begins at line ${inside.line}, column ${inside.column}` : '';
  return fileFailure(file, {
    reason: 'json_truncated',
    message: `${file} ends too early, at line ${position.line}${open}.`,
    hint: 'The file is incomplete: download or unpack it again.',
    position,
  });
}
