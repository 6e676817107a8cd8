import { type ErrorCode, McaError } from '@mca/core';
import { type Task, wordsFor } from '../pages/words.ts';
import { describeError } from '../web/describe-error.ts';
import type { JobView } from '../web/jobs.ts';
import { Refusal } from '../web/security.ts';

/** What is not our fault: status and title of its page. What to do is said by {@link wordsFor}. */
const REFUSALS: Readonly<Partial<Record<ErrorCode, readonly [status: number, title: string]>>> = {
  not_found: [404, 'There is nothing here'],
  invalid_data: [400, 'This did not work'],
  file_parse_error: [400, 'This did not work'],
  auth_expired: [400, 'Connect again'],
  permission_denied: [403, 'This is not allowed'],
  unsupported: [400, 'This cannot be done'],
  rate_limit: [429, 'Not now'],
  upstream: [502, 'The service does not answer'],
  cancelled: [503, 'This was stopped'],
};

/** The refusal that an error of the SDK is to a person; `undefined` for what is our fault. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!McaError.isInstance(error)) return undefined;
  const refusal = REFUSALS[error.code];
  return refusal && new Refusal(...refusal, wordsFor(error));
}

/** A job that threw, in words for a person; what it was goes into the log. */
export function failureView(error: unknown, log: (line: string) => void, task?: Task): JobView {
  log(`A job failed: ${describeError(error)}`);
  const text = McaError.isInstance(error) ? wordsFor(error, task) : 'Something went wrong. It is our fault: try again.';
  return { text, done: 0, outcome: 'bad' };
}
