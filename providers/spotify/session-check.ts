import { McaError, type SessionCheckCapability } from '@mca/core/provider-kit';
import { profile } from './live-schemas.ts';

/** Whose token is it, and is it good? */
export const sessionCheck: SessionCheckCapability = {
  async check({ http }) {
    try {
      const user = await http.request({ path: 'me', operation: 'profile', schema: profile });
      const label = user.display_name;
      return { valid: true, account: user.account_id || user.id, ...(label && { label }) };
    } catch (error) {
      if (McaError.isInstance(error) && error.code === 'auth_expired') return { valid: false };
      throw error;
    }
  },
};
