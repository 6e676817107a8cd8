import { McaError, type SessionCheckCapability } from '@mca/core/provider-kit';
import { validation } from './schemas.ts';

/** Whose token is it, and is it good? The service says `valid: false` with status 200. */
export const sessionCheck: SessionCheckCapability = {
  async check({ http }) {
    try {
      const { valid, user_name: name } = await http.request({
        path: 'validate-token',
        operation: 'validate-token',
        schema: validation,
      });
      if (valid === false) return { valid: false };
      return { valid: true, ...(name && { account: name, label: name }) };
    } catch (error) {
      if (McaError.isInstance(error) && error.code === 'auth_expired') return { valid: false };
      throw error;
    }
  },
};
