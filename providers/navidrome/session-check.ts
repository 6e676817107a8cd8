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
    let server: string | undefined;
    try {
      server = (await call(context, 'ping', envelope))['subsonic-response'].type;
    } catch (error) {
      if (McaError.isInstance(error) && error.reason === 'rejected') return { valid: false };
      throw error;
    }
    const name = server === 'navidrome' ? username.toLowerCase() : username;
    return { valid: true, account: accountOf(name, context.account.baseUrl ?? ''), label: username };
  },
};

/** One address has many spellings. So have user names at Navidrome; at other servers another letter case may be another user. */
function accountOf(username: string, baseUrl: string): string {
  const { host, pathname } = new URL(baseUrl);
  return `${username}@${host}${pathname.replace(/\/+$/, '')}`;
}
