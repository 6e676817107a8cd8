import type { SignableRequest } from '../../contracts/auth.ts';
import type { HttpRequest } from '../../contracts/capabilities/context.ts';
import type { Authoriser, VersionedCredentials } from './setup.ts';

/** A request as `fetch` wants it: parameters, body and credentials in place. */
export function buildRequest(
  address: URL,
  request: HttpRequest<unknown>,
  authoriser: Authoriser | undefined,
  credentials: VersionedCredentials | undefined,
): Request {
  const signable: SignableRequest = {
    method: request.method ?? 'GET',
    // Signing changes it, and the next attempt starts afresh.
    url: new URL(address),
    headers: new Headers({ accept: 'application/json', ...request.headers }),
    form: request.form && new URLSearchParams(request.form),
  };
  if (authoriser?.sign && credentials) authoriser.sign(signable, credentials);
  const { url, method, headers, form } = signable;
  const body = form?.toString() ?? (request.json === undefined ? undefined : JSON.stringify(request.json));
  if (body !== undefined && !headers.has('content-type')) {
    headers.set('content-type', form ? 'application/x-www-form-urlencoded' : 'application/json');
  }
  return new Request(url, { method, headers, body: body ?? null });
}

/** Adds the parameters of a request to its address. */
export function withQuery(address: URL, query: HttpRequest<unknown>['query']): URL {
  const url = new URL(address);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}
