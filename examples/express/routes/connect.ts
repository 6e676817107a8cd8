import { type ConnectStep, connectHandlers, disconnect } from '@mca/core';
import { Router } from 'express';
import type { Context } from '../app.ts';
import { keyOf, wordsOf } from '../pages/words.ts';
import { sendWebResponse, toWebRequest } from '../web/bridge.ts';
import { describeError } from '../web/describe-error.ts';
import { Refusal } from '../web/security.ts';
import { isNewcomer, type Session, sessionOf } from '../web/session.ts';
import { textOf } from '../web/text.ts';
import { wayOf } from './known.ts';

/** Log-ins at the service are all `connectHandlers`; forms and codes have pages of ours. */
export function connectRoutes({ registry, baseUrl, jobs, turns, log }: Context): Router {
  const router = Router();
  /** Who asks: whoever has opened the first page just now is somebody already. */
  const askers = new WeakMap<Request, Session>();
  const connect = connectHandlers(registry, {
    baseUrl,
    user: (request) => askers.get(request),
    choices(request, provider) {
      const query = new URL(request.url).searchParams;
      return {
        strategy: wayOf(registry, provider, query.get('way')),
        firstSync: query.has('only-new') ? 'new' : undefined,
      };
    },
    after({ provider, userId, ...result }) {
      if ('error' in result) log(`connecting ${provider}: ${describeError(result.error)}`);
      // What the last sync ended with is not true any more.
      else jobs.forget(userId, result.connected.connection.id);
      const said = 'connected' in result ? { connected: provider } : { failed: provider, because: keyOf(result.error) };
      const location = `/?${new URLSearchParams(said)}`;
      return new Response(null, { status: 303, headers: { location } });
    },
  });

  // A link begins nothing but a log-in at the service; what else there is has a page that asks first.
  router.get('/connect/:provider', (request, response, next) => {
    const { provider } = request.params;
    const way = wayOf(registry, provider, textOf(request.query.way)) ?? firstWay(provider);
    if (way === undefined || way === 'none' || way === 'oauth2' || way === 'session-key') return next();
    if (way === 'file-import') return response.redirect(303, '/import');
    const connectionId = textOf(request.query.connectionId);
    const query = connectionId ? `?${new URLSearchParams({ connectionId })}` : '';
    response.redirect(303, `/services/${provider}/${way}${query}`);
  });

  router.use('/connect', async (request, response, next) => {
    const session = sessionOf(response);
    const { userId } = session;
    const asked = await toWebRequest(request, baseUrl);
    askers.set(asked, session);
    const sent = await sentIn(asked);
    const kind = kindOf(asked, sent);
    // Nothing may be stored after it.
    if (kind === 'disconnect') await jobs.stop(userId, String(sent.connectionId));
    const isNew = isNewcomer(response);
    // Whoever has no connection yet has none to be looked at.
    const costs = kind === 'begin' || kind === 'try' || (kind === 'check' && !isNew);
    const giveBack = costs ? turns.take(userId, isNew) : undefined;
    const answer = await jobs.during(userId, () => connect.handle(asked));
    const { status = 404 } = answer ?? {};
    // Refused before any service was asked. That one asks us to wait is no refusal of ours.
    if (kind === 'begin' && status >= 400 && status < 500 && status !== 429) giveBack?.();
    if (!answer) return next();
    const id = asked.method === 'POST' && answer.ok ? await connectedIn(answer.clone()) : undefined;
    if (id !== undefined) jobs.forget(userId, id);
    // What a person followed a link to is shown as a page; scripts get the JSON.
    if (answer.status >= 400 && request.accepts(['html', 'json']) === 'html') {
      throw new Refusal(answer.status, 'This cannot be connected', await wordsIn(answer));
    }
    await sendWebResponse(answer, response);
  });

  router.post('/connections/:id/disconnect', async (request, response) => {
    const { userId } = sessionOf(response);
    // Nothing may be stored after it.
    const connectionId = request.params.id;
    await jobs.stop(userId, connectionId);
    const { remoteRevoked } = await disconnect(registry, { userId, connectionId });
    response.redirect(303, `/?disconnected=${remoteRevoked === false ? 'here' : 'everywhere'}`);
  });

  function firstWay(id: string) {
    const provider = registry.list().find((each) => each.id === id);
    return provider && (provider.auth[0]?.type ?? 'file-import');
  }
  return router;
}

/** What a request asks for, as far as it costs something: `try` is a password, or whatever else a form asks for. */
function kindOf(
  { method, url }: Request,
  { state, fields }: Sent,
): 'begin' | 'try' | 'check' | 'disconnect' | undefined {
  const { pathname, searchParams } = new URL(url);
  const [, , , action = ''] = pathname.split('/');
  if (action === 'status') return searchParams.get('check') === '1' ? 'check' : undefined;
  if (action === 'disconnect' && method === 'POST') return 'disconnect';
  if (action !== '') return undefined;
  if (method === 'GET' || state === undefined) return 'begin';
  return fields === undefined ? undefined : 'try';
}

type Sent = Readonly<Record<string, unknown>>;

async function sentIn(request: Request): Promise<Sent> {
  if (request.method !== 'POST') return {};
  const sent: unknown = await request
    .clone()
    .json()
    .catch(() => undefined);
  return typeof sent === 'object' && sent !== null ? (sent as Sent) : {};
}

/** The connection that a script has just made. */
async function connectedIn(answer: Response): Promise<string | undefined> {
  const step = (await answer.json().catch(() => ({}))) as Partial<ConnectStep>;
  return step.step === 'connected' ? step.connection?.id : undefined;
}

/** Why, as a person may read it: the answer itself is for scripts. */
async function wordsIn(answer: Response): Promise<string> {
  const { error } = (await answer.json().catch(() => ({}))) as {
    readonly error?: { readonly code?: string; readonly reason?: string };
  };
  const words = wordsOf(error?.reason ?? '', 'connect') ?? wordsOf(error?.code ?? '', 'connect');
  return words ?? 'Go back to the services and try again.';
}
