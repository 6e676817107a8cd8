import { McaError } from '../../contracts/errors.ts';
import type { WireRequest } from './build-request.ts';

const REDIRECTS_MAX = 3;

/**
 * Where a redirect leads, if it may be followed: on the same origin, for requests that only read, three times at most.
 * `fetch` itself would carry keys in headers, and on 307 and 308 the whole body, to whatever host the answer names.
 *
 * @throws McaError `upstream` `redirect_refused`
 */
export function redirectTarget(from: WireRequest, location: string, hopsBefore: number): URL {
  const origin = from.url;
  const target = URL.canParse(location, origin) ? new URL(location, origin) : undefined;
  if (target?.origin === origin.origin && from.method === 'GET' && hopsBefore < REDIRECTS_MAX) {
    target.username = '';
    target.password = '';
    target.hash = '';
    return target;
  }
  const isUpgrade = origin.protocol === 'http:' && target?.protocol === 'https:';
  throw new McaError({
    code: 'upstream',
    reason: 'redirect_refused',
    retryable: false,
    message: `${origin.host} redirected the request to where it must not be sent.`,
    hint: isUpgrade ? 'The server wants https: connect with its https address.' : undefined,
  });
}
