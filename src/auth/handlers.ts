import type { Connection } from '../contracts/connection.ts';
import { McaError } from '../contracts/errors.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { beginConnect, continueConnect, firstStrategy } from './connect.ts';
import type { BeginConnectOptions, ConnectedStep, ConnectionChoices, ConnectStep } from './connect-steps.ts';
import { connectionStatus, disconnect } from './disconnect.ts';
import { checkRedirectUri } from './redirect-uri.ts';
import { providerOf } from './strategies.ts';

/** Who sends a request, by the host's own login. */
export interface RequestUser {
  readonly userId: string;
  /** Something only this browser session has, such as the session id. */
  readonly sessionBinding: string;
}

/** What a flow asks for, and what is to become of it. */
export type FlowChoices = Pick<BeginConnectOptions, 'strategy' | 'capabilities' | 'scopes' | keyof ConnectionChoices>;

/** How a callback ended. */
export type CallbackResult =
  | { readonly userId: string; readonly provider: string; readonly connected: ConnectedStep }
  | { readonly userId: string; readonly provider: string; readonly error: McaError };

/** Options of {@link connectHandlers}. */
export interface ConnectHandlersOptions {
  /** Who sends the request; `undefined` when nobody is logged in. */
  readonly user: (request: Request) => RequestUser | undefined | Promise<RequestUser | undefined>;
  /** Public origin of your app, such as `https://your.app`. Redirect addresses are made of it, never of a request. */
  readonly baseUrl: string;
  /** @default '/connect' */
  readonly basePath?: string | undefined;
  /**
   * What a flow that begins asks for, by provider, and by the request where the user has a say. Browsers follow links of
   * anybody: take nothing from a request that its user could not choose. `?connectionId=` needs no word of yours.
   *
   * @default what the provider's first strategy asks for
   */
  readonly choices?:
    | ((request: Request, provider: string) => FlowChoices | undefined | Promise<FlowChoices | undefined>)
    | undefined;
  /** The page to show after a callback, mostly a redirect. @default the result as JSON */
  readonly after?: ((result: CallbackResult) => Response | Promise<Response>) | undefined;
}

/** Web handlers, as {@link connectHandlers} makes them. */
export interface ConnectHandlers {
  /** Answers a request below the base path; `undefined` for any other. */
  handle(request: Request): Promise<Response | undefined>;
  /**
   * `GET` begins a flow: a redirect, or the next step as JSON. `POST { state, fields? }` goes on with one, `POST {}` begins
   * one and answers the step as JSON: the only way for services without logins, which are connected at once.
   */
  start(request: Request, provider: string): Promise<Response>;
  /** Where services send the browser back to. */
  callback(request: Request, provider: string): Promise<Response>;
  /** The user's connections with a provider; with `?check=1` the service is asked whether they still work. */
  status(request: Request, provider: string): Promise<Response>;
  /** `POST { connectionId }` ends a connection. */
  disconnect(request: Request, provider: string): Promise<Response>;
}

const STATUS_OF: Readonly<Record<string, number>> = {
  not_found: 404,
  invalid_data: 400,
  auth_expired: 400,
  permission_denied: 403,
  unsupported: 400,
  rate_limit: 429,
  upstream: 502,
};

/** No cache keeps what it says, and no address with a code in it is told to the next page. */
const HEADERS = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' };

/**
 * Connecting accounts over HTTP, for any framework that knows `Request` and `Response`:
 *
 * - `GET <base>/<provider>` begins, with `?connectionId=` for a connection again; `POST` goes on with forms and devices
 * - `GET <base>/<provider>/callback` is the address to register at the service
 * - `GET <base>/<provider>/status` and `POST <base>/<provider>/disconnect`
 *
 * Answers hold no secrets. What changes something needs `POST` with a JSON body, from a page of the same origin. Errors are
 * `{ error: { code, reason } }`, of a form field with `message` and `hint`; what else there is to say goes to `env.logger`.
 *
 * @throws McaError `configuration` `invalid_redirect_uri` for a base URL no service should accept
 * @example
 * ```ts
 * const connect = connectHandlers(registry, {
 *   baseUrl: 'https://your.app',
 *   user: async (request) => sessionOf(request),
 *   after: ({ provider }) => Response.redirect(`https://your.app/settings?connected=${provider}`),
 * });
 * serve(async (request) => (await connect.handle(request)) ?? notFound());
 * ```
 */
export function connectHandlers(registry: AnyRegistry, options: ConnectHandlersOptions): ConnectHandlers {
  const { baseUrl, basePath = '/connect', after } = options;
  const base = `${baseUrl.replace(/\/$/, '')}/${basePath.replace(/^\/|\/$/g, '')}`;
  const redirectUriOf = (provider: string): string => checkRedirectUri(`${base}/${provider}/callback`);
  const { origin, pathname } = new URL(redirectUriOf('x'));
  const prefix = pathname.slice(0, -'x/callback'.length);

  /** Runs what a logged-in user asked for; everything thrown becomes an answer. */
  async function answer(
    request: Request,
    method: string,
    run: (user: RequestUser) => Promise<Response>,
  ): Promise<Response> {
    if (request.method !== method) return notAllowed(method);
    // Browsers name the origin of every POST; a missing one is no browser's.
    if (method === 'POST' && request.headers.get('origin') !== origin) {
      return json(403, { error: { code: 'permission_denied', reason: 'foreign_origin' } });
    }
    try {
      const user = await options.user(request);
      return user ? await run(user) : json(401, { error: { code: 'permission_denied', reason: 'not_logged_in' } });
    } catch (error) {
      return failed(registry, error);
    }
  }

  async function beginning(request: Request, provider: string, user: RequestUser): Promise<BeginConnectOptions> {
    const connectionId = new URL(request.url).searchParams.get('connectionId') ?? undefined;
    const chosen = await options.choices?.(request, provider);
    const redirectUri = redirectUriOf(provider);
    const named = { ...chosen, connectionId: chosen?.connectionId ?? connectionId };
    return { ...named, ...user, provider, redirectUri, signal: request.signal };
  }

  // Flows that go on do not end with their request: a code that was traded for tokens is gone.
  const handlers: Omit<ConnectHandlers, 'handle'> = {
    start(request, provider) {
      if (request.method === 'POST') {
        return answer(request, 'POST', async (user) => {
          const { state, fields } = await bodyOf(request);
          const step =
            state === undefined
              ? await beginConnect(registry, await beginning(request, provider, user))
              : await continueConnect(registry, { ...user, provider, state: String(state), fields: texts(fields) });
          return json(200, shownStep(step));
        });
      }
      return answer(request, 'GET', async (user) => {
        const begin = await beginning(request, provider, user);
        // A link that anybody may have sent begins flows; it connects nothing.
        const isDoneAtOnce = firstStrategy(providerOf(registry, provider), begin.strategy)?.type === 'none';
        if (isDoneAtOnce) return notAllowed('POST');
        const step = await beginConnect(registry, begin);
        if (step.step !== 'redirect') return json(200, shownStep(step));
        return new Response(null, { status: 302, headers: { ...HEADERS, location: step.url } });
      });
    },
    callback(request, provider) {
      return answer(request, 'GET', async (user) => {
        const redirectUri = redirectUriOf(provider);
        const query = new URL(request.url).searchParams;
        try {
          const step = await continueConnect(registry, {
            ...user,
            provider,
            query,
            redirectUri,
          });
          if (step.step !== 'connected' || !after) return json(200, shownStep(step));
          return await after({ userId: user.userId, provider, connected: step });
        } catch (error) {
          if (!after || !McaError.isInstance(error)) throw error;
          return await after({ userId: user.userId, provider, error });
        }
      });
    },
    status(request, provider) {
      return answer(request, 'GET', async ({ userId }) => {
        const check = new URL(request.url).searchParams.get('check') === '1';
        await registry.ready();
        const connections = (await registry.storage.listConnections({ userId, provider })).filter(isApi);
        const { signal } = request;
        const reports = connections.map(({ id }) =>
          connectionStatus(registry, { userId, connectionId: id, check, signal }),
        );
        const shown = (await Promise.all(reports)).map(({ connection, valid }) => ({
          ...shownConnection(connection),
          valid,
        }));
        return json(200, { connections: shown });
      });
    },
    disconnect(request, provider) {
      return answer(request, 'POST', async ({ userId }) => {
        const { connectionId } = await bodyOf(request);
        const [connection] = await registry.storage.listConnections({ userId, provider, id: String(connectionId) });
        return json(200, await disconnect(registry, { userId, connectionId: connection?.id ?? '' }));
      });
    },
  };

  return {
    ...handlers,
    async handle(request) {
      const { pathname: path } = new URL(request.url);
      if (!path.startsWith(prefix)) return undefined;
      const [provider = '', action = '', ...more] = path.slice(prefix.length).split('/');
      if (!/^[a-z][a-z0-9-]*$/.test(provider) || more.length > 0) return undefined;
      if (action === '') return handlers.start(request, provider);
      if (action === 'callback' || action === 'status' || action === 'disconnect') {
        return handlers[action](request, provider);
      }
      return undefined;
    },
  };
}

function notAllowed(allow: string): Response {
  return json(405, { error: { code: 'method_not_allowed' } }, { allow });
}

function isApi({ kind }: Connection): boolean {
  return kind === 'api';
}

/** What a browser may see: no settings, which are the host's. */
function shownConnection(connection: Connection): object {
  const { settings: _hosts, userId: _theirs, ...shown } = connection;
  return shown;
}

function shownStep(step: ConnectStep): object {
  return step.step === 'connected' ? { ...step, connection: shownConnection(step.connection) } : step;
}

async function bodyOf(request: Request): Promise<Readonly<Record<string, unknown>>> {
  try {
    const body: unknown = await request.json();
    if (typeof body === 'object' && body !== null) return body as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new McaError({ code: 'invalid_data', reason: 'invalid_body', message: 'The body must be a JSON object.' });
}

function texts(fields: unknown): Record<string, string> {
  const entries = Object.entries((fields ?? {}) as Record<string, unknown>);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function failed(registry: AnyRegistry, error: unknown): Response {
  if (McaError.isInstance(error)) {
    const { code, reason, message, hint, provider } = error;
    const status = STATUS_OF[code] ?? 500;
    // Of a field, what is said is for whoever fills it in. All else is for the host alone.
    if (reason === 'invalid_field') return json(status, { error: { code, reason, message, hint } });
    const level = status >= 500 ? 'error' : 'info';
    registry.env.logger[level]('A connect handler refused.', { code, reason, provider, error: message, hint });
    return json(status, { error: { code, reason } });
  }
  registry.env.logger.error('A connect handler failed.', { error: error instanceof Error ? error.name : typeof error });
  return json(500, { error: { code: 'internal' } });
}

function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json(body, { status, headers: { ...HEADERS, ...headers } });
}
