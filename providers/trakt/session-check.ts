import { McaError, type SessionCheckCapability } from '@mca/core/provider-kit';
import { settings } from './schemas.ts';

/** Whose token is it, and is it good? The uuid stays when users change their name; the slug does not. */
export const sessionCheck: SessionCheckCapability = {
  async check({ http }) {
    try {
      const { user } = await http.request({ path: 'users/settings', operation: 'settings', schema: settings });
      const { uuid, slug } = user.ids;
      return { valid: true, account: uuid ?? slug, label: user.username ?? slug };
    } catch (error) {
      if (McaError.isInstance(error) && error.code === 'auth_expired') return { valid: false };
      throw error;
    }
  },
};
