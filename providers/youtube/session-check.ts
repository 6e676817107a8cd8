import { McaError, type SessionCheckCapability } from '@mca/core/provider-kit';
import { channel, googlePage } from './live-schemas.ts';

/** Whose token is it, and is it good? A Google account may have no channel; then nobody says whose it is. */
export const sessionCheck: SessionCheckCapability = {
  async check({ http }) {
    try {
      const query = { part: 'snippet', mine: true };
      const { items = [] } = await http.request({
        path: 'channels',
        operation: 'own-channel',
        query,
        schema: googlePage,
      });
      const own = channel.safeParse(items[0]).data;
      const label = own?.snippet?.title;
      return { valid: true, ...(own && { account: own.id }), ...(label && { label }) };
    } catch (error) {
      if (McaError.isInstance(error) && error.code === 'auth_expired') return { valid: false };
      throw error;
    }
  },
};
