import { createHash } from 'node:crypto';
import { CLIENT } from './server.ts';

export const REDIRECT = 'https://app.example/connect/trakt/callback';
export const SECRET = 'client-secret-of-the-app';
const WEEK_S = 604_800;
const DEVICE_S = 600;
const INTERVAL_S = 5;

/** How the service behaves. */
export interface OAuthOptions {
  readonly now: () => number;
  /** Asks for the secret of the app where the documentation does: polls, refreshes, revoking. @default false */
  readonly wantsSecret?: boolean;
}

/** A request the service met. */
export interface OAuthCall {
  readonly path: string;
  readonly type: string | null;
  readonly authorization: string | null;
  readonly agent: string | null;
  /** `trakt-api-key` */
  readonly key: string | null;
  readonly body: Readonly<Record<string, string>>;
  readonly status: number;
}

interface Device {
  readonly endsAt: number;
  polledAt: number;
  state: 'pending' | 'approved' | 'denied' | 'used';
}

/**
 * auth.trakt.tv in memory: credentials in the body and never in a header, PKCE by S256 alone, refresh tokens that are good
 * once, and a device flow that answers by the status, without a body. Tokens last a week. Token requests may be JSON, as
 * documented, or forms, as Trakt's own website sends; those of devices are JSON.
 */
export class TraktOAuth {
  readonly calls: OAuthCall[] = [];
  /** Answers the next calls so. */
  readonly failures: Response[] = [];
  readonly #options: OAuthOptions;
  readonly #codes = new Map<string, string>();
  readonly #devices = new Map<string, Device>();
  readonly #refreshTokens = new Set<string>();
  readonly #accessTokens = new Map<string, number>();
  #issued = 0;

  constructor(options: OAuthOptions) {
    this.#options = options;
  }

  /** Whether an access token is good. */
  readonly isGood = (token: string): boolean => (this.#accessTokens.get(token) ?? 0) > this.#options.now();

  /** Calls to a path, such as `/oauth/token`. */
  callsTo(path: string): readonly OAuthCall[] {
    return this.calls.filter((call) => call.path === path);
  }

  /** Ends all access tokens. */
  expireAll(): void {
    for (const token of this.#accessTokens.keys()) this.#accessTokens.set(token, 0);
  }

  /** A consent given outside any flow. */
  grant(): { readonly accessToken: string; readonly refreshToken: string } {
    const { access_token: accessToken, refresh_token: refreshToken } = this.#tokens();
    return { accessToken, refreshToken };
  }

  /** The user answers on the activation page. */
  answerDevices(state: 'approved' | 'denied'): void {
    for (const device of this.#devices.values()) if (device.state === 'pending') device.state = state;
  }

  /** Forgets the codes of all devices. */
  forgetDevices(): void {
    this.#devices.clear();
  }

  /** The user agrees on the page at `address`; the answer is what the browser comes back with. */
  agree(address: string): URLSearchParams {
    const query = new URL(address).searchParams;
    if (query.get('client_id') !== CLIENT || query.get('redirect_uri') !== REDIRECT) throw new Error('unknown app');
    if (query.get('code_challenge_method') !== 'S256') throw new Error('only S256');
    const code = this.#name('code');
    this.#codes.set(code, query.get('code_challenge') ?? '');
    return new URLSearchParams({ code, state: query.get('state') ?? '' });
  }

  async answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const { headers } = request;
    const type = headers.get('content-type');
    const isJson = type === 'application/json';
    const text = await request.text();
    const body: Record<string, string> = isJson ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text));
    const authorization = headers.get('authorization');
    const answer =
      this.failures.shift() ??
      (authorization === null ? this.#answer(pathname, body, isJson) : refused('invalid_client', 'no client_id'));
    const [agent, key] = [headers.get('user-agent'), headers.get('trakt-api-key')];
    this.calls.push({ path: pathname, type, authorization, agent, key, body, status: answer.status });
    return answer;
  }

  #answer(path: string, body: Readonly<Record<string, string>>, isJson: boolean): Response {
    if (path.startsWith('/oauth/device/') && !isJson) return status(412);
    if (body.client_id !== CLIENT) return status(403);
    if (path === '/oauth/device/code') return this.#device();
    if (path === '/oauth/device/token') return this.#hasSecret(body) ? this.#poll(body.code ?? '') : status(401);
    if (path === '/oauth/revoke') {
      this.#accessTokens.delete(body.token ?? '');
      this.#refreshTokens.delete(body.token ?? '');
      return Response.json({});
    }
    return path === '/oauth/token' ? this.#token(body) : status(404);
  }

  #token(body: Readonly<Record<string, string>>): Response {
    if (body.grant_type === 'authorization_code') {
      const challenge = this.#codes.get(body.code ?? '');
      this.#codes.delete(body.code ?? '');
      const proof = createHash('sha256').update(body.code_verifier ?? '').digest('base64url');
      if (body.client_secret !== undefined) return refused('invalid_request', 'secret and verifier');
      const isOurs = challenge === proof && body.redirect_uri === REDIRECT;
      return isOurs ? Response.json(this.#tokens()) : refused('invalid_grant', 'code not found');
    }
    if (body.grant_type !== 'refresh_token') return refused('unsupported_grant_type', 'grant type not supported');
    if (!this.#hasSecret(body)) return refused('invalid_client', 'secret is missing');
    const isGood = this.#refreshTokens.delete(body.refresh_token ?? '');
    return isGood ? Response.json(this.#tokens()) : refused('invalid_grant', 'session not found');
  }

  #device(): Response {
    const code = this.#name('device');
    const now = this.#options.now();
    this.#devices.set(code, { endsAt: now + DEVICE_S * 1_000, polledAt: now, state: 'pending' });
    return Response.json({
      device_code: code,
      user_code: '5055CC52',
      verification_url: 'https://auth.trakt.tv/activate',
      expires_in: DEVICE_S,
      interval: INTERVAL_S,
    });
  }

  #poll(code: string): Response {
    const device = this.#devices.get(code);
    const now = this.#options.now();
    if (!device) return status(404);
    if (now >= device.endsAt) return status(410);
    const isTooSoon = now - device.polledAt < INTERVAL_S * 1_000;
    device.polledAt = now;
    if (isTooSoon) return status(429);
    if (device.state === 'pending') return status(400);
    if (device.state === 'denied') return status(418);
    if (device.state === 'used') return status(409);
    device.state = 'used';
    return Response.json(this.#tokens());
  }

  #hasSecret({ client_secret: secret }: Readonly<Record<string, string>>): boolean {
    return !this.#options.wantsSecret || secret === SECRET;
  }

  #tokens() {
    const now = this.#options.now();
    const tokens = {
      access_token: this.#name('access'),
      token_type: 'bearer',
      expires_in: WEEK_S,
      refresh_token: this.#name('refresh'),
      scope: 'public',
      created_at: Math.floor(now / 1_000),
    };
    this.#accessTokens.set(tokens.access_token, now + WEEK_S * 1_000);
    this.#refreshTokens.add(tokens.refresh_token);
    return tokens;
  }

  #name(kind: string): string {
    this.#issued += 1;
    return `${kind}-${this.#issued}`;
  }
}

function status(code: number): Response {
  return new Response(null, { status: code });
}

function refused(error: string, description: string): Response {
  return Response.json({ error, error_description: description }, { status: 400 });
}
