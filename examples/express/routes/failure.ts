import { type ErrorCode, McaError } from '@mca/core';
import { describeError } from '../web/describe-error.ts';
import type { JobView } from '../web/jobs.ts';
import { Refusal } from '../web/security.ts';

/** What is not our fault: what a code of the SDK means to a person. */
const REFUSALS: Readonly<Partial<Record<ErrorCode, readonly [status: number, title: string, message: string]>>> = {
  not_found: [404, 'There is nothing here', 'It is not there any more, or it is not yours.'],
  invalid_data: [400, 'This did not work', 'What was sent was not understood. Go back and try again.'],
  auth_expired: [400, 'Connect again', 'This took too long, or the service no longer lets us in.'],
  permission_denied: [403, 'This is not allowed', 'The service, or its owner, said no.'],
  unsupported: [400, 'This cannot be done', 'The service has no way to do this.'],
  rate_limit: [429, 'Not now', 'The service asked us to wait. Try again later.'],
  upstream: [502, 'The service does not answer', 'It is not your fault. Try again in a while.'],
  cancelled: [503, 'This was stopped', 'Try again in a moment.'],
};

/** The refusal that an error of the SDK is to a person; `undefined` for what is our fault. */
export function refusalOf(error: unknown): Refusal | undefined {
  const refusal = McaError.isInstance(error) ? REFUSALS[error.code] : undefined;
  return refusal && new Refusal(...refusal);
}

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
