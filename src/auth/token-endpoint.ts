import type { AuthorizationServer, Client, ClientAuth, HttpRequestOptions } from 'oauth4webapi';
import { McaError } from '../contracts/errors.ts';
import type { OAuthRequest } from '../contracts/oauth.ts';
import type { AnyProvider } from '../contracts/provider.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { type Exchange, exchange, TOKEN_LIMITS } from '../runtime/http/exchange.ts';
import { isLoopback } from '../runtime/http/hosts.ts';
import { retryAfterMs } from '../runtime/http/retry-after.ts';
import { monotonicMs } from '../runtime/sleep.ts';
import { patientTimers } from './patient-timers.ts';
import { lifetimeMsOf } from './refresh-policy.ts';
import { Secret } from './secret.ts';
import { httpStateOf, serviceNow } from './service-time.ts';
import {
  accessDenied,
  asTransient,
  noDeviceFlow,
  refusalOf,
  TokenFailure,
  transientError,
  wasSent,
} from './token-failure.ts';
import {
  type BuiltRequest,
  errorNameOf,
  isPolledByUserCode,
  type OAuthStrategy,
  pollErrorOf,
  requestTo,
  secretFor,
} from './token-request.ts';

export type { OAuthStrategy } from './token-request.ts';

/** What a token endpoint granted. */
export interface Grant {
  readonly accessToken: Secret;
  /** Absent when the service sent none: the old one stays good. */
  readonly refreshToken: Secret | undefined;
  /** Epoch milliseconds by the service's clock. */
  readonly expiresAt: number | undefined;
  readonly lifetimeMs: number | undefined;
  /** As granted; `undefined` when the service does not say, which means as asked for. */
  readonly scopes: readonly string[] | undefined;
  /** When it was granted, epoch milliseconds by the service's clock. */
  readonly grantedAt: number;
}

/** A device flow that has begun. */
export interface DeviceGrant {
  readonly deviceCode: Secret;
  readonly userCode: string;
  readonly verificationUri: string;
  readonly verificationUriComplete: string | undefined;
  readonly lifetimeMs: number;
  readonly intervalMs: number;
}

type Library = typeof import('oauth4webapi');

/** What requests are called in events; all others are `token`. */
const OPERATIONS: Partial<Record<OAuthRequest, string>> = { device: 'device-code', revocation: 'revoke-token' };

/** The endpoints of one OAuth service, asked defensively: every failure is a `TokenFailure` without a secret in it. */
export class TokenEndpoint {
  readonly #registry: AnyRegistry;
  readonly #provider: AnyProvider;
  readonly #strategy: OAuthStrategy;
  readonly #signal: AbortSignal;

  constructor(registry: AnyRegistry, provider: AnyProvider, strategy: OAuthStrategy, signal: AbortSignal) {
    this.#registry = registry;
    this.#provider = provider;
    this.#strategy = strategy;
    this.#signal = signal;
  }

  /** Trades the code of a validated callback for tokens. */
  async exchangeCode(callback: CallbackAnswer): Promise<Grant> {
    const oauth = await library();
    const { as, client, auth, options } = this.#setup(oauth, 'code');
    const { issuer, parameters } = expectedIssuer(this.#strategy, callback.parameters);
    const server = { ...as, ...issuer };
    try {
      const valid = oauth.validateAuthResponse(server, client, parameters, callback.state);
      const verifier = callback.verifier ?? oauth.nopkce;
      return await this.#granted('code', (fetchOnce) =>
        oauth.authorizationCodeGrantRequest(server, client, auth, valid, callback.redirectUri, verifier, {
          ...options,
          [oauth.customFetch]: fetchOnce,
        }),
      );
    } catch (error) {
      if (error instanceof TokenFailure) throw error;
      if (error instanceof oauth.AuthorizationResponseError && error.error === 'access_denied') {
        throw new TokenFailure('denied', accessDenied(this.#provider.id));
      }
      // Its errors hold the whole callback, code included: they stay here.
      throw new TokenFailure('refused', invalidCallback(this.#provider.id));
    }
  }

  /** Trades a refresh token for new tokens. */
  async refresh(refreshToken: Secret): Promise<Grant> {
    const oauth = await library();
    const { as, client, auth, options } = this.#setup(oauth, 'refresh');
    return this.#granted('refresh', (fetchOnce) =>
      oauth.refreshTokenGrantRequest(as, client, auth, refreshToken.reveal(), {
        ...options,
        additionalParameters: { ...this.#strategy.refreshParameters },
        [oauth.customFetch]: fetchOnce,
      }),
    );
  }

  /** Begins a device flow. */
  async beginDevice(scopes: readonly string[]): Promise<DeviceGrant> {
    const oauth = await library();
    const { as, client, auth, options } = this.#setup(oauth, 'device');
    const parameters = scopes.length > 0 ? { scope: scopes.join(this.#strategy.scopeSeparator ?? ' ') } : {};
    const answer = await this.#ask('device', (fetchOnce) =>
      oauth.deviceAuthorizationRequest(as, client, auth, parameters, { ...options, [oauth.customFetch]: fetchOnce }),
    );
    const { user_code: userCode } = answer.body;
    const deviceCode = isPolledByUserCode(this.#strategy) ? userCode : answer.body.device_code;
    const verificationUri = answer.body.verification_uri ?? answer.body.verification_url;
    const lifetimeMs = lifetimeMsOf(answer.body.expires_in);
    if (!isText(deviceCode) || !isText(userCode) || !isWebAddress(verificationUri) || lifetimeMs === undefined) {
      throw this.#unexpected(answer.exchange);
    }
    const complete = answer.body.verification_uri_complete;
    return {
      deviceCode: new Secret(deviceCode),
      userCode,
      verificationUri,
      verificationUriComplete: isWebAddress(complete) ? complete : undefined,
      lifetimeMs,
      intervalMs: Math.min(lifetimeMsOf(answer.body.interval) ?? 5_000, 60_000),
    };
  }

  /** Asks whether the user has answered; a `TokenFailure` of kind `pending` while not. */
  async pollDevice(deviceCode: Secret): Promise<Grant> {
    const oauth = await library();
    const { as, client, auth, options } = this.#setup(oauth, 'poll');
    return this.#granted('poll', (fetchOnce) =>
      oauth.deviceCodeGrantRequest(as, client, auth, deviceCode.reveal(), {
        ...options,
        [oauth.customFetch]: fetchOnce,
      }),
    );
  }

  /** Asks the service to forget a token. */
  async revoke(token: Secret): Promise<void> {
    const oauth = await library();
    const { as, client, auth, options } = this.#setup(oauth, 'revocation');
    const fetchOnce: FetchOnce = async (url, request) => {
      const answer = await this.#exchange('revocation', url, request);
      if (answer.status !== 200 && answer.status !== 204) throw this.#failureOf('revocation', answer);
      return new Response(null, { status: 200 });
    };
    await oauth.revocationRequest(as, client, auth, token.reveal(), { ...options, [oauth.customFetch]: fetchOnce });
  }

  async #granted(kind: OAuthRequest, send: (fetchOnce: FetchOnce) => Promise<Response>): Promise<Grant> {
    const { body, exchange: answer } = await this.#ask(kind, send);
    const { access_token: accessToken, token_type: tokenType, refresh_token: refreshToken, scope } = body;
    const { untypedTokens = false } = this.#strategy;
    const isBearer = tokenType === undefined ? untypedTokens : String(tokenType).toLowerCase() === 'bearer';
    if (!isText(accessToken) || !isBearer) throw this.#unexpected(answer);
    const lifetimeMs = lifetimeMsOf(body.expires_in);
    const grantedAt = serviceNow(this.#registry, this.#provider, this.#strategy.tokenEndpoint);
    return {
      accessToken: new Secret(accessToken),
      refreshToken: isText(refreshToken) ? new Secret(refreshToken) : undefined,
      lifetimeMs,
      expiresAt: lifetimeMs === undefined ? undefined : grantedAt + lifetimeMs,
      // An empty text says as little as none: the scopes stay as they were asked for.
      scopes: isText(scope) && scope.trim() !== '' ? scope.split(/[\s,]+/).filter(Boolean) : undefined,
      grantedAt,
    };
  }

  /** Sends what the library built, and answers the JSON object that came, or throws a `TokenFailure`. */
  async #ask(kind: OAuthRequest, send: (fetchOnce: FetchOnce) => Promise<Response>): Promise<Answer> {
    let answer: Answer | undefined;
    await send(async (url, request) => {
      const received = await this.#exchange(kind, url, request);
      const body = jsonObject(received.body);
      const isError = errorNameOf(this.#strategy, kind, body) !== undefined;
      if (!body || received.status !== 200 || isError) throw this.#failureOf(kind, received);
      answer = { body, exchange: received };
      // What came is judged here; the library only hands it through.
      return new Response(null, { status: 200 });
    });
    if (!answer)
      throw new TokenFailure('transient', transientError(this.#provider.id, this.#host, 'unexpected_answer'));
    return answer;
  }

  async #exchange(kind: OAuthRequest, url: string, built: BuiltRequest): Promise<Exchange> {
    const { env } = this.#registry;
    const request = requestTo(this.#strategy, kind, url, built);
    const { host } = new URL(request.url);
    const sentAt = monotonicMs(env.clock);
    let answer: Exchange | undefined;
    let failure: TokenFailure | undefined;
    try {
      answer = await exchange({ timers: patientTimers(env) }, env.fetch, request, TOKEN_LIMITS, this.#signal);
      this.#noteClock(host, answer.headers, sentAt);
      return answer;
    } catch (error) {
      failure = new TokenFailure('transient', asTransient(error, this.#provider.id, this.#host), wasSent(error));
      throw failure;
    } finally {
      this.#registry.emit({
        type: 'request',
        provider: this.#provider.id,
        operation: OPERATIONS[kind] ?? 'token',
        method: request.method,
        host,
        status: answer?.status,
        attempt: 1,
        durationMs: monotonicMs(env.clock) - sentAt,
        bytes: answer?.body.byteLength ?? 0,
        error: failure && { code: failure.error.code, reason: failure.error.reason },
      });
    }
  }

  #noteClock(host: string, headers: Headers, sentAt: number): void {
    const skewMs = httpStateOf(this.#registry).clocks.observe(host, headers, sentAt);
    if (skewMs !== undefined) this.#registry.emit({ type: 'clock_skew', provider: this.#provider.id, host, skewMs });
  }

  #failureOf(kind: OAuthRequest, answer: Exchange): TokenFailure {
    const { status } = answer;
    if (status >= 300 && status < 400) {
      return new TokenFailure('transient', transientError(this.#provider.id, this.#host, 'redirect_refused'));
    }
    const oauthError = errorNameOf(this.#strategy, kind, jsonObject(answer.body));
    if (kind === 'poll') {
      const declared = pollErrorOf(this.#strategy, status);
      if (declared) return refusalOf(declared, 400, this.#provider.id, this.#host);
      if (oauthError === 'unsupported_grant_type') {
        return new TokenFailure('refused', noDeviceFlow(this.#provider.id, this.#host));
      }
    }
    if (status === 429) {
      const waitMs = this.#waitMs(answer);
      return new TokenFailure('transient', transientError(this.#provider.id, this.#host, 'too_many_requests', waitMs));
    }
    if (oauthError !== undefined) return refusalOf(oauthError, status, this.#provider.id, this.#host);
    return this.#unexpected(answer);
  }

  /** An answer nobody can use. Where it is no refusal, the service may have replaced the refresh token all the same. */
  #unexpected(answer: Exchange): TokenFailure {
    const { status } = answer;
    const reason = status >= 500 ? 'server_error' : 'unexpected_answer';
    const isAmbiguous = status < 300 || status >= 500;
    const waitMs = status >= 500 ? this.#waitMs(answer) : undefined;
    return new TokenFailure('transient', transientError(this.#provider.id, this.#host, reason, waitMs), isAmbiguous);
  }

  /** How long the endpoint asks to be left alone, in milliseconds. */
  #waitMs({ status, headers }: Exchange): number | undefined {
    return retryAfterMs(headers, status, httpStateOf(this.#registry).providerNow(this.#host));
  }

  get #host(): string {
    return new URL(this.#strategy.tokenEndpoint).host;
  }

  #setup(
    oauth: Library,
    kind: OAuthRequest,
  ): {
    readonly as: AuthorizationServer;
    readonly client: Client;
    readonly auth: ClientAuth;
    readonly options: Pick<HttpRequestOptions<'POST'>, 'headers' | typeof oauth.allowInsecureRequests>;
  } {
    const strategy = this.#strategy;
    const as: AuthorizationServer = {
      issuer: strategyIssuer(strategy),
      token_endpoint: strategy.tokenEndpoint,
      ...(strategy.revocationEndpoint && { revocation_endpoint: strategy.revocationEndpoint }),
      ...(strategy.type === 'device-code' && { device_authorization_endpoint: strategy.deviceEndpoint }),
    };
    return {
      as,
      client: { client_id: strategy.clientId },
      auth: clientAuth(oauth, strategy, kind),
      options: {
        headers: { ...strategy.tokenHeaders },
        ...(isLoopback(new URL(strategy.tokenEndpoint).hostname) && { [oauth.allowInsecureRequests]: true }),
      },
    };
  }
}

/** What came back to the redirect address, with what was remembered of how the flow began. */
export interface CallbackAnswer {
  readonly parameters: URLSearchParams;
  readonly state: string;
  readonly redirectUri: string;
  /** Absent where PKCE is switched off. */
  readonly verifier: string | undefined;
}

type FetchOnce = (url: string, request: BuiltRequest) => Promise<Response>;

interface Answer {
  readonly body: Readonly<Record<string, unknown>>;
  readonly exchange: Exchange;
}

/** Loaded when a token is asked for: who only imports files never pays for it. */
function library(): Promise<Library> {
  return import('oauth4webapi');
}

function clientAuth(oauth: Library, strategy: OAuthStrategy, kind: OAuthRequest): ClientAuth {
  const secret = secretFor(strategy, kind);
  if (secret === undefined) return oauth.None();
  const { clientId, clientAuthentication } = strategy;
  return clientAuthentication === 'body' ? oauth.ClientSecretPost(secret) : basicAuth(clientId, secret);
}

/**
 * The library's own would also escape `-`, `.` and `_`, which is allowed, and not understood by the many services that
 * compare what they get without decoding it.
 */
function basicAuth(clientId: string, clientSecret: string): ClientAuth {
  const encode = (text: string): string => new URLSearchParams({ x: text }).toString().slice(2);
  return (_as, _client, _body, headers) => {
    headers.set('authorization', `Basic ${btoa(`${encode(clientId)}:${encode(clientSecret)}`)}`);
  };
}

function strategyIssuer(strategy: OAuthStrategy): string {
  const endpoint = strategy.type === 'oauth2' ? strategy.authorizationEndpoint : strategy.tokenEndpoint;
  return (strategy.type === 'oauth2' ? strategy.issuer : undefined) ?? new URL(endpoint).origin;
}

/**
 * A declared issuer is a promise: the callback must name it. Without one, an `iss` must at least live where the user was
 * sent to.
 */
function expectedIssuer(
  strategy: OAuthStrategy,
  parameters: URLSearchParams,
): { readonly issuer: Partial<AuthorizationServer>; readonly parameters: URLSearchParams } {
  const declared = strategy.type === 'oauth2' ? strategy.issuer : undefined;
  if (declared) return { issuer: { authorization_response_iss_parameter_supported: true }, parameters };
  const told = parameters.get('iss');
  const isSameOrigin = told !== null && URL.canParse(told) && new URL(told).origin === strategyIssuer(strategy);
  return { issuer: isSameOrigin ? { issuer: told } : {}, parameters };
}

function jsonObject(body: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
    return isObject ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isWebAddress(value: unknown): value is string {
  return typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

function invalidCallback(provider: string): McaError {
  return new McaError({
    code: 'auth_expired',
    reason: 'invalid_callback',
    provider,
    message: 'What came back from the service does not belong to this flow.',
    hint: 'Start connecting again.',
  });
}
