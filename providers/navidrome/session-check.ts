import { McaError, type SessionCheckCapability } from '@mca/core/provider-kit';
import { envelope } from './schemas.ts';
import { call } from './subsonic.ts';

/**
 * Are these the credentials of somebody on this server? The account is user name and address: song ids, and so the ids
 * of what was heard, belong to one server.
 */
export const sessionCheck: SessionCheckCapability = {
  async check(context) {
    const { username = '' } = context.account.fields;
    try {
      await call(context, 'ping', envelope);
    } catch (error) {
      if (McaError.isInstance(error) && error.reason === 'rejected') return { valid: false };
      throw error;
    }
    return { valid: true, account: accountOf(username, context.account.baseUrl ?? ''), label: username };
  },
};

/** User names know no letter case on these servers; one address has many spellings. */
function accountOf(username: string, baseUrl: string): string {
  const { host, pathname } = new URL(baseUrl);
  return `${username.toLowerCase()}@${host}${pathname.replace(/\/+$/, '')}`;
}
