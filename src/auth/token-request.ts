import type { AuthStrategy } from '../contracts/auth.ts';
import type { DevicePoll, DevicePollError, OAuthRequest } from '../contracts/oauth.ts';

/** Where the code that the user types stands in an address. */
const USER_CODE = '{user_code}';

/** The strategies that have a token endpoint. */
export type OAuthStrategy = Extract<AuthStrategy, { readonly type: 'oauth2' | 'device-code' }>;

/** A request as the library builds it, always a form. Names of headers are lower-case. */
export interface BuiltRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: URLSearchParams;
}

/** What the library built, as the service wants it. */
export function requestTo(strategy: OAuthStrategy, kind: OAuthRequest, url: string, built: BuiltRequest): Request {
  const { method, headers } = built;
  const poll = kind === 'poll' ? pollOf(strategy) : undefined;
  const address = poll ? pollAddress(poll, built.body) : url;
  const body = poll ? pollForm(poll, built.body) : built.body;
  if (isByGet(strategy, kind)) return inQuery(address, headers, body);
  const isJson = strategy.tokenRequest === 'json';
  return new Request(address, {
    method,
    headers: { ...headers, ...(isJson && { 'content-type': 'application/json' }) },
    body: isJson ? JSON.stringify(Object.fromEntries(body)) : body,
    redirect: 'manual',
  });
}

/** The client secret, if a request goes with it. */
export function secretFor(strategy: OAuthStrategy, kind: OAuthRequest): string | undefined {
  const { clientSecret, secretWith } = strategy;
  return secretWith?.includes(kind) === false || isByGet(strategy, kind) ? undefined : clientSecret || undefined;
}

/** The error that a body names, in the words of the standard. */
export function errorNameOf(
  strategy: OAuthStrategy,
  kind: OAuthRequest,
  body: Readonly<Record<string, unknown>> | undefined,
): string | undefined {
  const { errorNames = {} } = strategy;
  const named = (said: unknown): string | undefined =>
    typeof said === 'string' && Object.hasOwn(errorNames, said) ? errorNames[said] : undefined;
  const { error, ...others } = body ?? {};
  if (typeof error === 'string' && error !== '') return named(error) ?? error;
  const field = kind === 'poll' ? pollOf(strategy)?.errorField : undefined;
  return field === undefined ? undefined : named(others[field]);
}

/** Whether a device flow is polled by the code that the user types. */
export function isPolledByUserCode(strategy: OAuthStrategy): boolean {
  return pollOf(strategy)?.endpoint.includes(USER_CODE) === true;
}

/** The error that a status stands for where a device flow is polled at an address of its own. */
export function pollErrorOf(strategy: OAuthStrategy, status: number): DevicePollError | undefined {
  return pollOf(strategy)?.statuses?.[status];
}

function pollOf(strategy: OAuthStrategy): DevicePoll | undefined {
  return strategy.type === 'device-code' ? strategy.poll : undefined;
}

function isByGet(strategy: OAuthStrategy, kind: OAuthRequest): boolean {
  return strategy.type === 'device-code' && strategy.deviceMethod === 'get' && (kind === 'device' || kind === 'poll');
}

function inQuery(address: string, headers: BuiltRequest['headers'], parameters: URLSearchParams): Request {
  const url = new URL(address);
  for (const [name, value] of parameters) url.searchParams.set(name, value);
  const { 'content-type': _ofBodies, ...others } = headers;
  return new Request(url, { headers: others, redirect: 'manual' });
}

function pollAddress({ endpoint }: DevicePoll, built: URLSearchParams): string {
  return endpoint.replaceAll(USER_CODE, encodeURIComponent(built.get('device_code') ?? ''));
}

function pollForm({ endpoint, codeParameter = 'device_code' }: DevicePoll, built: URLSearchParams): URLSearchParams {
  const { grant_type: _standard, device_code: code = '', ...client } = Object.fromEntries(built);
  return new URLSearchParams({ ...(!endpoint.includes(USER_CODE) && { [codeParameter]: code }), ...client });
}
