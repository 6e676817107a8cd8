import { McaError } from '@mca/core';
import { describeError } from '../web/describe-error.ts';
import type { JobView } from '../web/jobs.ts';

/** A job that threw. Messages and hints of the SDK are made to be shown; of other errors nothing is told. */
export function failureView(error: unknown, log: (line: string) => void): JobView {
  if (McaError.isInstance(error)) {
    if (error.code === 'storage' || error.code === 'plugin') log(describeError(error));
    const hint =
      error.reason === 'ambiguous_date' ? 'Choose the order of the dates below, and upload it again.' : error.hint;
    return { text: [error.message, hint].filter(Boolean).join(' '), done: 0, outcome: 'bad' };
  }
  log(`A job failed: ${describeError(error)}`);
  return { text: 'Something went wrong. It is our fault.', done: 0, outcome: 'bad' };
}
