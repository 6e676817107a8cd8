import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Clock } from '../contracts/env.ts';
import type { FakeOAuthBehaviour, FakeOAuthCall, FakeOAuthFailure, FakeOAuthServer } from './fake-oauth.ts';
import { type FakeGrant, FakeGrants } from './fake-oauth-grants.ts';

interface PendingCode {
  /** Who approved. */
  readonly account: string;
  readonly redirectUri: string;
  readonly challenge: string | undefined;
  readonly scopes: readonly string[];
  grant: FakeGrant | undefined;
}

interface PendingDevice {
  readonly userCode: string;
  readonly scopes: readonly string[];
  readonly endsAt: number;
  lastPoll: number;
  answer: 'approve' | 'deny' | undefined;
}

class Refused extends Error {
  readonly status: number;

  constructor(error: string, status = 400) {
    super(error);
    this.status = status;
  }
}

/**
 * An OAuth 2 service that keeps the rules as strictly as the strictest of the real ones: codes and refresh tokens are
 * good once, redirect addresses and PKCE are compared byte for byte. Its authorization page agrees at once.
 *
 * @example
 * ```ts
 * const oauth = createFakeOAuthServer({ clock, accessLifetimeMs: 3_600_000 });
 * const registry = createRegistry({ providers, ...memory(), env: { fetch: oauth.fetch } });
 * oauth.failNext('token', 1, { status: 503 });
 * ```
 */
export function createFakeOAuthServer(
  options: Partial<FakeOAuthBehaviour> & { readonly clock?: Clock | undefined } = {},
): FakeOAuthServer {
  const { clock = { now: () => Date.now() }, ...given } = options;
  const behaviour: FakeOAuthBehaviour = {
    clientId: 'client',
    clientSecret: undefined,
    clientAuthentication: undefined,
    redirectUris: undefined,
    accessLifetimeMs: 3_600_000,
    grantLifetimeMs: Number.POSITIVE_INFINITY,
    refreshTokens: 'rotating',
    grantedScopes: undefined,
    account: 'ada',
    expiresIn: undefined,
    beforeToken: undefined,
    deviceIntervalSeconds: 5,
    devicePollStatuses: undefined,
    ...given,
  };
  const grants = new FakeGrants();
  const codes = new Map<string, PendingCode>();
  const devices = new Map<string, PendingDevice>();
  const calls: FakeOAuthCall[] = [];
  const failures: { readonly endpoint: string; readonly failure: FakeOAuthFailure }[] = [];
  let underWay = 0;
  let mostAtOnce = 0;
  let server: Server | undefined;

  const begin = (asked: readonly string[], account = behaviour.account): FakeGrant =>
    grants.begin(account, behaviour.grantedScopes ?? asked, clock.now());

  function tokens(grant: FakeGrant, refreshToken: string | undefined): Response {
    const { accessLifetimeMs, expiresIn } = behaviour;
    const accessToken = grants.issueAccess(grant, clock.now() + (accessLifetimeMs ?? Number.POSITIVE_INFINITY));
    return json(200, {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: expiresIn === undefined ? accessLifetimeMs && accessLifetimeMs / 1_000 : (expiresIn ?? undefined),
      refresh_token: refreshToken,
      scope: grant.scopes.join(' '),
    });
  }

  function authorize(url: URL): Response {
    const query = url.searchParams;
    const redirectUri = query.get('redirect_uri') ?? '';
    const isKnown = behaviour.redirectUris?.includes(redirectUri) ?? true;
    if (query.get('client_id') !== behaviour.clientId || !isKnown) throw new Refused('invalid_request');
    if (query.get('response_type') !== 'code') throw new Refused('unsupported_response_type');
    const challenge = query.get('code_challenge') ?? undefined;
    if (challenge && query.get('code_challenge_method') !== 'S256') throw new Refused('invalid_request');
    const code = grants.name('code');
    const { account } = behaviour;
    codes.set(code, { account, redirectUri, challenge, scopes: scopesOf(query.get('scope')), grant: undefined });
    const back = new URL(redirectUri);
    back.searchParams.set('code', code);
    const state = query.get('state');
    if (state !== null) back.searchParams.set('state', state);
    return new Response(null, { status: 302, headers: { location: back.href } });
  }

  async function byCode(form: URLSearchParams): Promise<Response> {
    const pending = codes.get(form.get('code') ?? '');
    if (!pending) throw new Refused('invalid_grant');
    if (pending.grant) {
      // A code that comes twice was stolen: what the first one got goes too.
      pending.grant.revoked = true;
      throw new Refused('invalid_grant');
    }
    const verifier = form.get('code_verifier') ?? undefined;
    const isProven = pending.challenge === (verifier && (await challengeOf(verifier)));
    if (form.get('redirect_uri') !== pending.redirectUri || !isProven) throw new Refused('invalid_grant');
    pending.grant = begin(pending.scopes, pending.account);
    return tokens(pending.grant, pending.grant.refreshToken);
  }

  function byRefreshToken(form: URLSearchParams): Response {
    const token = form.get('refresh_token') ?? '';
    const grant = grants.byRefreshToken(token);
    if (!grant || grant.revoked || clock.now() >= grant.grantedAt + behaviour.grantLifetimeMs) {
      throw new Refused('invalid_grant');
    }
    if (grant.refreshToken !== token) {
      grant.revoked = true;
      throw new Refused('invalid_grant');
    }
    switch (behaviour.refreshTokens) {
      case 'rotating':
        grant.usedRefreshTokens.add(token);
        grant.refreshToken = grants.name('refresh');
        return tokens(grant, grant.refreshToken);
      case 'sticky':
        return tokens(grant, token);
      default:
        return tokens(grant, behaviour.refreshTokens === 'empty' ? '' : undefined);
    }
  }

  function byDevice(deviceCode: string): Response {
    const device = devices.get(deviceCode);
    const now = clock.now();
    if (!device || now >= device.endsAt) throw new Refused('expired_token');
    const isTooSoon = now - device.lastPoll < behaviour.deviceIntervalSeconds * 1_000;
    device.lastPoll = now;
    if (isTooSoon) throw new Refused('slow_down');
    if (device.answer === undefined) throw new Refused('authorization_pending');
    devices.delete(deviceCode);
    if (device.answer === 'deny') throw new Refused('access_denied');
    const grant = begin(device.scopes);
    return tokens(grant, grant.refreshToken);
  }

  async function token(form: URLSearchParams, request: Request): Promise<Response> {
    underWay += 1;
    mostAtOnce = Math.max(mostAtOnce, underWay);
    try {
      await behaviour.beforeToken?.(form, request);
      if (request.signal.aborted) throw new TypeError('fetch failed');
      const grantType = form.get('grant_type');
      if (grantType === 'authorization_code') return await byCode(form);
      if (grantType === 'refresh_token') return byRefreshToken(form);
      const isDevice = grantType === 'urn:ietf:params:oauth:grant-type:device_code';
      if (isDevice && !behaviour.devicePollStatuses) return byDevice(form.get('device_code') ?? '');
      throw new Refused('unsupported_grant_type');
    } finally {
      underWay -= 1;
    }
  }

  function device(form: URLSearchParams, origin: string): Response {
    const deviceCode = grants.name('device');
    const userCode = grants.name('USER').slice(0, 12).toUpperCase();
    const endsAt = clock.now() + 600_000;
    const lastPoll = clock.now();
    devices.set(deviceCode, { userCode, scopes: scopesOf(form.get('scope')), endsAt, lastPoll, answer: undefined });
    return json(200, {
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: `${origin}/activate`,
      verification_uri_complete: `${origin}/activate?user_code=${userCode}`,
      expires_in: 600,
      interval: behaviour.deviceIntervalSeconds,
    });
  }

  function pollByStatus(form: URLSearchParams, statuses: Readonly<Record<string, number>>): Response {
    try {
      return byDevice(form.get('code') ?? '');
    } catch (error) {
      const status = error instanceof Refused ? statuses[error.message] : undefined;
      if (status === undefined) throw error;
      return new Response(null, { status });
    }
  }

  function revoke(form: URLSearchParams): Response {
    const handedIn = form.get('token') ?? '';
    const grant = grants.byRefreshToken(handedIn) ?? grants.byAccessToken(handedIn);
    if (grant) grant.revoked = true;
    return new Response(null, { status: 200 });
  }

  function requireToken(request: Request): ReturnType<FakeOAuthServer['requireToken']> {
    const bearer = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1] ?? '';
    const grant = grants.byAccessToken(bearer);
    if (!grant || grant.revoked || (grant.accessTokens.get(bearer) ?? 0) <= clock.now()) return undefined;
    return { account: grant.account, scopes: grant.scopes };
  }

  async function answer(endpoint: string, request: Request, form: URLSearchParams): Promise<Response> {
    const url = new URL(request.url);
    if (endpoint === 'authorize') return authorize(url);
    if (endpoint === 'me') {
      const user = requireToken(request);
      return user
        ? json(200, { id: user.account, name: `User ${user.account}` })
        : json(401, { error: 'invalid_token' });
    }
    const { devicePollStatuses: statuses } = behaviour;
    if (!['token', 'device', 'revoke', ...(statuses ? ['device-token'] : [])].includes(endpoint))
      return json(404, { error: 'not_found' });
    if (!isClient(behaviour, request, form)) throw new Refused('invalid_client', 401);
    if (endpoint === 'device') return device(form, url.origin);
    if (endpoint === 'device-token' && statuses) return pollByStatus(form, statuses);
    return endpoint === 'revoke' ? revoke(form) : token(form, request);
  }

  async function handle(request: Request): Promise<Response> {
    const endpoint = new URL(request.url).pathname.slice(1);
    const form = request.method === 'POST' ? await formOf(request) : new URLSearchParams();
    const index = failures.findIndex((each) => each.endpoint === endpoint);
    const failure = index < 0 ? undefined : failures.splice(index, 1)[0]?.failure;
    const note = (outcome: string): void => {
      calls.push({
        endpoint,
        grantType: form.get('grant_type') ?? undefined,
        handedIn: form.get('refresh_token') ?? form.get('code') ?? form.get('token') ?? undefined,
        outcome,
        authorization: request.headers.get('authorization'),
        headers: request.headers,
        parameters: Object.fromEntries(form),
      });
    };
    if (typeof failure === 'object') {
      note(`status ${failure.status}`);
      return new Response(failure.body ?? null, { status: failure.status, headers: { ...failure.headers } });
    }
    if (failure === 'drop-before') {
      note(failure);
      throw new TypeError('fetch failed');
    }
    try {
      const response = await answer(endpoint, request, form);
      note(failure ?? (response.ok || response.status === 302 ? 'granted' : `status ${response.status}`));
      if (failure === 'drop-after') throw new TypeError('fetch failed');
      return response;
    } catch (error) {
      if (!(error instanceof Refused)) {
        if (failure === undefined) note('hung up');
        throw error;
      }
      note(error.message);
      return json(error.status, { error: error.message });
    }
  }

  return {
    behaviour,
    calls,
    get grants() {
      return grants.all;
    },
    get mostTokenCallsAtOnce() {
      return mostAtOnce;
    },
    handle,
    fetch: (input, init) => handle(new Request(input, init)),
    requireToken,
    endpoints: (origin = 'https://oauth.test') => ({
      authorizationEndpoint: `${origin}/authorize`,
      tokenEndpoint: `${origin}/token`,
      revocationEndpoint: `${origin}/revoke`,
      deviceEndpoint: `${origin}/device`,
      devicePollEndpoint: `${origin}/device-token`,
      me: `${origin}/me`,
    }),
    failNext(endpoint, times, failure) {
      for (let time = 0; time < times; time += 1) failures.push({ endpoint, failure });
    },
    grant(scopes = []) {
      const granted = begin(scopes);
      const { accessLifetimeMs } = behaviour;
      const accessToken = grants.issueAccess(granted, clock.now() + (accessLifetimeMs ?? Number.POSITIVE_INFINITY));
      return { accessToken, refreshToken: granted.refreshToken };
    },
    answerDevice(userCode, answered) {
      for (const each of devices.values()) if (each.userCode === userCode) each.answer = answered;
    },
    async listen() {
      server = createServer((incoming, outgoing) => void serve(handle, incoming, outgoing));
      const listening = server;
      await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
      const address = listening.address();
      return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    },
    async close() {
      server?.closeAllConnections();
      await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
    },
  };
}

async function serve(
  handle: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Uint8Array);
    // The time it tells would be this machine's, not its own clock's.
    outgoing.sendDate = false;
    const gone = new AbortController();
    outgoing.on('close', () => gone.abort());
    const request = new Request(`http://${incoming.headers.host}${incoming.url}`, {
      method: incoming.method ?? 'GET',
      signal: gone.signal,
      headers: Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]),
      ...(incoming.method === 'POST' && { body: Buffer.concat(chunks) }),
    });
    const response = await handle(request);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  } catch {
    outgoing.destroy();
  }
}

async function formOf(request: Request): Promise<URLSearchParams> {
  const text = await request.text();
  if (request.headers.get('content-type') !== 'application/json') return new URLSearchParams(text);
  return new URLSearchParams(JSON.parse(text) as Record<string, string>);
}

function isClient(behaviour: FakeOAuthBehaviour, request: Request, form: URLSearchParams): boolean {
  const { clientId, clientSecret, clientAuthentication } = behaviour;
  const basic = /^Basic (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
  if (clientAuthentication === (basic === undefined ? 'basic' : 'body')) return false;
  const [id, secret] = basic ? atob(basic).split(':').map(decodeURIComponent) : [];
  return (
    (id ?? form.get('client_id')) === clientId && (secret ?? form.get('client_secret') ?? undefined) === clientSecret
  );
}

async function challengeOf(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  return Buffer.from(digest).toString('base64url');
}

function scopesOf(scope: string | null): readonly string[] {
  return (scope ?? '').split(/[\s,]+/).filter(Boolean);
}

function json(status: number, body: unknown): Response {
  return Response.json(body, { status });
}
