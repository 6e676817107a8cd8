import { McaError } from '../contracts/errors.ts';

/**
 * Refuses a user id that is empty by mistake.
 *
 * @throws McaError `invalid_data` `invalid_user_id`
 */
export function checkUserId(userId: string): void {
  if (typeof userId === 'string' && userId !== '') return;
  throw new McaError({
    code: 'invalid_data',
    reason: 'invalid_user_id',
    message: 'userId must be a text that is not empty.',
    hint: 'Pass the id your app knows the user by.',
  });
}
