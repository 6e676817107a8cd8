import { McaError } from '@mca/core';

/** An error for the log. Those of the SDK never hold a secret; of others the message may hold anything. */
export function describeError(error: unknown): string {
  if (McaError.isInstance(error)) return [error.code, error.reason, error.message].filter(Boolean).join(' ');
  return error instanceof Error
    ? `${error.name} ${error.stack?.split('\n    at').slice(1, 4).join(' at')}`
    : typeof error;
}
