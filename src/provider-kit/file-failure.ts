import { type FilePosition, McaError } from '../contracts/errors.ts';

/** What {@link fileFailure} says, besides the file. */
export interface FileFailure {
  /** snake_case. */
  readonly reason: string;
  /** One sentence without the content of the file. */
  readonly message: string;
  /** What the user can do. */
  readonly hint: string;
  readonly position?: FilePosition | undefined;
  readonly cause?: unknown;
}

/** The error of a file that cannot be read: code `file_parse_error`, its position completed with the file's name. */
export function fileFailure(file: string, failure: FileFailure): McaError {
  return new McaError({ code: 'file_parse_error', ...failure, position: { file, ...failure.position } });
}

/** Errors that are typed already stay as they are; others become `file_unreadable`. */
export function asFileFailure(file: string, error: unknown): McaError {
  if (McaError.isInstance(error)) return error;
  return fileFailure(file, {
    reason: 'file_unreadable',
    message: `${file} could not be read.`,
    hint: 'Check that the file exists, may be read, and is complete.',
    cause: error,
  });
}

/** Throws the `cancelled` error when the signal fired. */
export function throwIfCancelled(file: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(file, signal);
}

/** The `cancelled` error of a file. */
export function cancelled(file: string, signal: AbortSignal): McaError {
  return new McaError({
    code: 'cancelled',
    message: `Reading ${file} was cancelled.`,
    position: { file },
    cause: signal.reason,
  });
}
