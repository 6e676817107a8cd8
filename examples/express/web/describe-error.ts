import { McaError } from '@mca/core';

/** An error for the log. Those of the SDK never hold a secret; of others the message may hold anything. */
export function describeError(error: unknown): string {
  if (McaError.isInstance(error)) {
    // Those of files name the file, which is called what its owner likes.
    const message = error.code === 'file_parse_error' ? undefined : error.message;
    return [error.code, error.reason, message, error.hint].filter(Boolean).join(' ');
  }
  return error instanceof Error
    ? `${error.name} ${error.stack?.split('\n    at').slice(1, 4).join(' at')}`
    : typeof error;
}
