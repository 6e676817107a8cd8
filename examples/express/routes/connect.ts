import { connectHandlers, disconnect } from '@mca/core';
import { Router } from 'express';
import type { Context } from '../app.ts';
import { keyOf, wordsOf } from '../pages/words.ts';
import { sendWebResponse, toWebRequest } from '../web/bridge.ts';
import { describeError } from '../web/describe-error.ts';
import { Refusal } from '../web/security.ts';
import { sessionOf } from '../web/session.ts';
import { textOf } from '../web/text.ts';
import { wayOf } from './known.ts';

/** Log-ins at the service are all `connectHandlers`; forms and codes have pages of ours. */
export function connectRoutes({ registry, sessions, baseUrl, jobs, turns, log }: Context): Router {
  const router = Router();
  const connect = connectHandlers(registry, {
    baseUrl,
    user: (request) => sessions.of(request.headers.get('cookie')),
    choices(request, provider) {
      const query = new URL(request.url).searchParams;
      return {
        strategy: wayOf(registry, provider, query.get('way')),
        firstSync: query.has('only-new') ? 'new' : undefined,
      };
    },
    after({ provider, ...result }) {
      if ('error' in result) log(`connecting ${provider}: ${describeError(result.error)}`);
      const said = 'connected' in result ? { connected: provider } : { failed: provider, because: keyOf(result.error) };
      const location = `/?${new URLSearchParams(said)}`;
      return new Response(null, { status: 303, headers: { location } });
    },
  });

  // A link begins nothing but a log-in at the service; what else there is has a page that asks first.
  router.get('/connect/:provider', (request, response, next) => {
    const { provider } = request.params;
    const way = wayOf(registry, provider, textOf(request.query.way)) ?? firstWay(provider);
    if (way === undefined || way === 'none') return next();
    if (way === 'file-import') return response.redirect(303, '/import');
    if (way === 'oauth2' || way === 'session-key') {
      turns.take(sessionOf(response).userId);
      return next();
    }
    const connectionId = textOf(request.query.connectionId);
    const query = connectionId ? `?${new URLSearchParams({ connectionId })}` : '';
    response.redirect(303, `/services/${provider}/${way}${query}`);
  });

  router.use('/connect', async (request, response, next) => {
    const asked = await toWebRequest(request, baseUrl);
    if (asked.method === 'POST' && (await begins(asked.clone()))) turns.take(sessionOf(response).userId);
    const answer = await connect.handle(asked);
    if (!answer) return next();
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

/** A request that goes on with a flow names it. */
async function begins(request: Request): Promise<boolean> {
  const sent: unknown = await request.json().catch(() => undefined);
  return typeof sent !== 'object' || sent === null || !('state' in sent) || sent.state === undefined;
}

/** Why, as a person may read it: the answer itself is for scripts. */
async function wordsIn(answer: Response): Promise<string> {
  const { error } = (await answer.json().catch(() => ({}))) as {
    readonly error?: { readonly code?: string; readonly reason?: string };
  };
  const words = wordsOf(error?.reason ?? '', 'connect') ?? wordsOf(error?.code ?? '', 'connect');
  return words ?? 'Go back to the services and try again.';
}
