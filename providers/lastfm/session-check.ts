import { McaError, type SessionCheckCapability } from '@mca/core/provider-kit';
import { userInfo } from './schemas.ts';

/** Whose key is it, and is it good? For users who connected by name: is there such a user? */
export const sessionCheck: SessionCheckCapability = {
  async check({ http }) {
    try {
      const { user } = await http.request({
        path: '',
        operation: 'user.getInfo',
        query: { method: 'user.getInfo' },
        schema: userInfo,
      });
      return { valid: true, account: user.name, label: user.name };
    } catch (error) {
      const says = McaError.isInstance(error) ? error.code : undefined;
      if (says === 'auth_expired' || says === 'not_found') return { valid: false };
      throw error;
    }
  },
};
