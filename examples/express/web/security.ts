import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { isLoopback } from '../settings.ts';
import { isSame, type Sessions, sessionOf } from './session.ts';

/** A refusal that is shown as it stands: title and text are ours, never a stranger's. */
export class Refusal extends Error {
  readonly status: number;
  readonly title: string;

  constructor(status: number, title: string, message: string) {
    super(message);
    this.status = status;
    this.title = title;
  }
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

/** What every answer carries. */
export function safeHeaders(baseUrl: string): RequestHandler {
  const headers = {
    'content-security-policy': POLICY,
    // Not `no-referrer`: with it browsers send `Origin: null`, and nobody could tell our own forms from others'.
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    // Once seen over https, never again without. On `localhost` that would hold for every other server there.
    ...(baseUrl.startsWith('https:') && !isLoopback(baseUrl) && { 'strict-transport-security': 'max-age=31536000' }),
  };
  return (_request, response, next) => {
    response.set(headers);
    next();
  };
}

/** What nothing here answers to; some of it could not even be handed on. */
export function knownMethods({ method }: Request, _response: Response, next: NextFunction): void {
  if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') {
    throw new Refusal(405, 'This did not work', 'Pages are opened, and forms are sent. Nothing else is done here.');
  }
  next();
}

/** One address, so that cookies and origins fit: `localhost` is sent on, other names are refused (DNS rebinding). */
export function ownHost(baseUrl: string): RequestHandler {
  const { host, origin, port } = new URL(baseUrl);
  return (request, response, next) => {
    if (request.headers.host === host) return next();
    const isAlias = request.headers.host === `localhost:${port}` && request.method === 'GET';
    // Whatever does not begin so would become part of the host's name.
    if (!request.originalUrl.startsWith('/')) throw new Refusal(400, 'This did not work', 'The address is malformed.');
    if (isAlias) return response.redirect(origin + request.originalUrl);
    throw new Refusal(421, 'Wrong address', 'This app answers at another address.');
  };
}

/** Knows the browser, or makes it a new user. */
export function withSession(sessions: Sessions): RequestHandler {
  return (request, response, next) => {
    response.locals.isNewcomer = sessions.of(request.headers.cookie) === undefined;
    response.locals.session = sessions.open(request.headers.cookie, response);
    // Pages are one person's.
    response.set('cache-control', 'no-store');
    next();
  };
}

/** Browsers name the origin of every POST. */
export function checkOrigin(request: Request, baseUrl: string): void {
  if (request.headers.origin !== new URL(baseUrl).origin) {
    throw new Refusal(403, 'Not from here', 'This was sent from another site, so nothing was done.');
  }
}

/** The token of the form has to be that of the session. */
export function checkToken(token: unknown, response: Response): void {
  if (typeof token !== 'string' || !isSame(token, sessionOf(response).csrf)) {
    throw new Refusal(403, 'This page is too old', 'Go back, reload the page and try again.');
  }
}

/** Lets nothing change anything but forms and scripts of ours. */
export function guardPosts(baseUrl: string): RequestHandler {
  return (request, response, next) => {
    if (request.method === 'GET' || request.method === 'HEAD') return next();
    checkOrigin(request, baseUrl);
    const { csrf } = (request.body ?? {}) as Readonly<Record<string, unknown>>;
    checkToken(csrf ?? request.get('x-csrf-token'), response);
    next();
  };
}
