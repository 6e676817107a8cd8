import { McaError, type SessionCheckCapability } from '@mca/core/provider-kit';
import { ask } from './request.ts';
import { settings } from './schemas.ts';

/** Whose token is it, and is it good? The number of the account stays when users change their name. */
export const sessionCheck: SessionCheckCapability = {
  async check(context) {
    try {
      const question = { path: 'users/settings', operation: 'settings', schema: settings, wasPost: true };
      const { user, account } = await ask(context, question);
      return { valid: true, account: account.id, label: user?.name ?? account.id };
    } catch (error) {
      if (McaError.isInstance(error) && error.code === 'auth_expired') return { valid: false };
      throw error;
    }
  },
};
