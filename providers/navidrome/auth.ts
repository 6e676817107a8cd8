import { hash, randomBytes } from 'node:crypto';
import type { AccountContext, AuthStrategy, SignRequest } from '@mca/core/provider-kit';

/** Version of the protocol that is spoken: the last one without extensions. */
const PROTOCOL = '1.16.1';

/**
 * User name and password, as the host has them from its own log-in. Every request is signed with them: the Subsonic API
 * knows no session.
 */
export const hostLogin: AuthStrategy = {
  type: 'host-supplied',
  fields: [
    {
      name: 'url',
      label: 'Address of the server',
      secret: false,
      kind: 'url',
      help: 'With its path, where it has one: https://example.org/music',
    },
    { name: 'username', label: 'User name', secret: false, kind: 'text' },
    { name: 'password', label: 'Password', secret: true, kind: 'password' },
    {
      name: 'legacyPassword',
      label: 'Send the password itself',
      secret: false,
      kind: 'text',
      optional: true,
      help: '"yes" for servers that refuse tokens. The password then stands in the address of every request.',
    },
    {
      name: 'plainLogIn',
      label: 'Log in without encryption',
      secret: false,
      kind: 'text',
      optional: true,
      help: '"yes" for a Navidrome at an http address: it tells every play only to who logs in with the password itself.',
    },
  ],
  sign: signWith(() => randomBytes(8).toString('hex')),
};

/**
 * Signs requests to the Subsonic API with a token of a new salt each (16 hex characters), and the log-in to Navidrome's
 * own API with user name and password. Other requests of that API carry a session already.
 */
export function signWith(newSalt: () => string): SignRequest {
  return ({ url, form, json }, { fields }) => {
    const { username = '', password = '' } = fields;
    if (url.pathname.endsWith('/auth/login') && json) {
      Object.assign(json, { username, password });
      return;
    }
    if (!/\/rest\/[^/]+$/.test(url.pathname)) return;
    const parameters = form ?? url.searchParams;
    parameters.set('u', username);
    if (fields.legacyPassword === 'yes') {
      parameters.set('p', `enc:${Buffer.from(password).toString('hex')}`);
    } else {
      const salt = newSalt();
      parameters.set('t', tokenOf(password, salt));
      parameters.set('s', salt);
    }
    parameters.set('v', PROTOCOL);
    parameters.set('c', 'mca-core');
    parameters.set('f', 'json');
  };
}

/**
 * Whether the password itself may be sent to the server, once in each sync: to where nobody can listen, or with the
 * host's consent.
 */
export function maySendPassword({ baseUrl = '', fields }: AccountContext): boolean {
  const { protocol, hostname = '' } = URL.parse(baseUrl) ?? {};
  const isPrivate = protocol === 'https:' || /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
  return isPrivate || fields.plainLogIn === 'yes' || fields.legacyPassword === 'yes';
}

/** What proves that we know the password: the MD5 of it and a salt, lower-case hex. */
export function tokenOf(password: string, salt: string): string {
  return hash('md5', password + salt);
}
