import { McaError } from '../contracts/errors.ts';

/** The position is not one of ours, or the service no longer knows it. The engine then starts the walk again. */
export function cursorInvalid(provider: string): McaError {
  return new McaError({
    code: 'invalid_data',
    reason: 'cursor_invalid',
    provider,
    message: `The position is not one of ${provider}, or is no longer known.`,
    hint: 'Start again without a cursor.',
  });
}
