import { McaError, type SessionCheckCapability } from '@mca/core/provider-kit';
import { me } from './schemas.ts';

/** Whose token is it, and is it good? Asked when connecting, and by `connectionStatus(…, { check: true })`. */
export const sessionCheck: SessionCheckCapability = {
  async check({ http }) {
    try {
      const { id, name } = await http.request({ path: 'me', operation: 'me', schema: me });
      // The account's id keeps several accounts of one user apart: take what never changes.
      return { valid: true, account: id, label: name };
    } catch (error) {
      if (McaError.isInstance(error) && error.code === 'auth_expired') return { valid: false };
      // Trouble is no answer.
      throw error;
    }
  },
};
