import type { SignableRequest } from '../../contracts/auth.ts';
import type { HttpRequest } from '../../contracts/capabilities/context.ts';
import type { Authoriser, VersionedCredentials } from './setup.ts';

/** A request with everything in place: parameters, body, credentials. */
export interface WireRequest {
  readonly method: SignableRequest['method'];
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string | undefined;
}

/** Puts a request together and has it signed. */
export function buildRequest(
  address: URL,
  request: HttpRequest<unknown>,
  authoriser: Authoriser | undefined,
  credentials: VersionedCredentials | undefined,
): WireRequest {
  const signable: SignableRequest = {
    method: request.method ?? 'GET',
    // Signing changes it, and the next attempt starts afresh.
    url: new URL(address),
    headers: new Headers({ accept: 'application/json', ...request.headers }),
    form: request.form && new URLSearchParams(request.form),
    json: isObject(request.json) ? { ...request.json } : undefined,
  };
  if (authoriser?.sign && credentials) authoriser.sign(signable, credentials);
  const { url, method, headers, form } = signable;
  const json = signable.json ?? request.json;
  const body = form?.toString() ?? (json === undefined ? undefined : JSON.stringify(json));
  if (body !== undefined && !headers.has('content-type')) {
    headers.set('content-type', form ? 'application/x-www-form-urlencoded' : 'application/json');
  }
  return { method, url, headers, body };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Adds the parameters of a request to an address. */
export function addQuery(url: URL, query: HttpRequest<unknown>['query'] = {}): void {
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
}
