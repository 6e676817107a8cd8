import type { AuthStrategy, SessionKeyStrategy, SignRequest } from '@mca/core/provider-kit';
import { session } from './schemas.ts';
import { signatureOf } from './signature.ts';

/** The API account of the host's app. */
export interface LastfmApp {
  readonly apiKey: string;
  readonly sharedSecret: string | undefined;
  readonly authorizeUrl: string;
}

/**
 * The user approves on a page of Last.fm, which comes back with a token; the token is traded for a session key that
 * lasts until the user takes it back.
 */
export function webSession(app: LastfmApp & { readonly sharedSecret: string }): SessionKeyStrategy {
  return {
    type: 'session-key',
    tokenParameter: 'token',
    authorizeUrl: (callbackUrl) =>
      `${app.authorizeUrl}?${new URLSearchParams({ api_key: app.apiKey, cb: callbackUrl })}`,
    async exchange(http, token) {
      const query = { method: 'auth.getSession', api_key: app.apiKey, token };
      const { session: granted } = await http.request({
        path: '',
        operation: 'auth.getSession',
        query: { ...query, api_sig: signatureOf(Object.entries(query), app.sharedSecret), format: 'json' },
        schema: session,
      });
      return { sessionKey: granted.key, account: granted.name };
    },
    sign: signWith(app),
  };
}

/** Reading a public history needs no more than its name. */
export function userName(app: LastfmApp): AuthStrategy {
  return {
    type: 'form',
    fields: [
      {
        name: 'username',
        label: 'Last.fm user name',
        secret: false,
        kind: 'text',
        help: 'Works unless "Hide recent listening" is on in the privacy settings.',
      },
    ],
    sign: signWith(app),
  };
}

function signWith({ apiKey, sharedSecret }: LastfmApp): SignRequest {
  return ({ url, form }, { token, fields }) => {
    const parameters = form ?? url.searchParams;
    parameters.set('api_key', apiKey);
    // A session key shows a hidden history to its own user; reads need no signature for that.
    if (token !== undefined) parameters.set('sk', token);
    else if (fields.username !== undefined && !parameters.has('user')) parameters.set('user', fields.username);
    if (form && sharedSecret !== undefined) form.set('api_sig', signatureOf(form, sharedSecret));
    parameters.set('format', 'json');
  };
}
