import { McaError, type SessionCheckCapability } from '@mca/core/provider-kit';
import { authentication } from './schemas.ts';

/** Of keys TMDB does not say whose they are. One name for all: a new key of a user takes the place of the old one. */
const ACCOUNT = { account: 'api-key', label: 'TMDB' };

/** Is the key good? One of the user's is not, and that is an answer; one of the host's is a fault of the set-up. */
export function sessionCheck(keyOf: 'app' | 'user'): SessionCheckCapability {
  return {
    async check({ http }) {
      try {
        const { success } = await http.request({
          path: 'authentication',
          operation: 'authentication',
          schema: authentication,
        });
        return success ? { valid: true, ...ACCOUNT } : { valid: false };
      } catch (error) {
        const isRefused = McaError.isInstance(error) && ['invalid_key', 'suspended_key'].includes(error.reason ?? '');
        if (isRefused && keyOf === 'user') return { valid: false };
        throw error;
      }
    },
  };
}
