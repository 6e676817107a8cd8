import type { AuthStrategy } from '../contracts/auth.ts';
import type { DevicePoll, DevicePollError, OAuthRequest } from '../contracts/oauth.ts';

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
  const body = poll ? pollForm(poll, built.body) : built.body;
  const isJson = strategy.tokenRequest === 'json';
  return new Request(poll?.endpoint ?? url, {
    method,
    headers: { ...headers, ...(isJson && { 'content-type': 'application/json' }) },
    body: isJson ? JSON.stringify(Object.fromEntries(body)) : body,
    redirect: 'manual',
  });
}

/** The client secret, if a request goes with it. */
export function secretFor({ clientSecret, secretWith }: OAuthStrategy, kind: OAuthRequest): string | undefined {
  return secretWith?.includes(kind) === false ? undefined : clientSecret || undefined;
}

/** The error that a status stands for where a device flow is polled at an address of its own. */
export function pollErrorOf(strategy: OAuthStrategy, status: number): DevicePollError | undefined {
  return pollOf(strategy)?.statuses?.[status];
}

function pollOf(strategy: OAuthStrategy): DevicePoll | undefined {
  return strategy.type === 'device-code' ? strategy.poll : undefined;
}

function pollForm({ codeParameter = 'device_code' }: DevicePoll, built: URLSearchParams): URLSearchParams {
  const { grant_type: _standard, device_code: code = '', ...client } = Object.fromEntries(built);
  return new URLSearchParams({ [codeParameter]: code, ...client });
}
