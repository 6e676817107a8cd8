import {
  type AuthStrategy,
  beginConnect,
  type ConnectStep,
  connectHandlers,
  continueConnect,
  describeProvider,
  disconnect,
  McaError,
} from '@mca/core';
import { type Request, Router } from 'express';
import type { Context } from '../app.ts';
import { devicePage, formPage } from '../pages/connect-pages.ts';
import { sendWebResponse, toWebRequest } from '../web/bridge.ts';
import { Refusal } from '../web/security.ts';
import { sessionOf } from '../web/session.ts';
import { textOf } from '../web/text.ts';

/**
 * Connecting. Log-ins at the service are all `connectHandlers`; forms and codes are pages of ours, on `beginConnect` and
 * `continueConnect`.
 */
export function connectRoutes({ registry, sessions, baseUrl, jobs }: Context): Router {
  const router = Router();
  const connect = connectHandlers(registry, {
    baseUrl,
    user: (request) => sessions.of(request.headers.get('cookie')),
    choices(request, provider) {
      const query = new URL(request.url).searchParams;
      return { strategy: wayOf(provider, query.get('way')), firstSync: query.has('only-new') ? 'new' : undefined };
    },
    after({ provider, ...result }) {
      const said =
        'connected' in result
          ? { connected: provider }
          : { failed: provider, because: result.error.reason ?? result.error.code };
      const location = `/?${new URLSearchParams(said)}`;
      return new Response(null, { status: 303, headers: { location } });
    },
  });

  router.use('/connect', async (request, response, next) => {
    const answer = await connect.handle(await toWebRequest(request, baseUrl));
    if (!answer) return next();
    // What a person followed a link to is shown as a page; scripts get the JSON.
    if (answer.status >= 400 && request.accepts(['html', 'json']) === 'html') {
      throw new Refusal(answer.status, 'This cannot be connected', 'Go back to the services and try again.');
    }
    await sendWebResponse(answer, response);
  });

  router.get('/services/:provider/:way', async (request, response) => {
    const { provider, way } = request.params;
    const session = sessionOf(response);
    const step = await beginConnect(registry, {
      ...session,
      provider: known(provider),
      strategy: wayOf(provider, way) ?? unknownWay(),
      connectionId: textOf(request.query.connectionId),
    });
    response.send(stepPage(provider, step));

    function stepPage(id: string, begun: ConnectStep): string {
      const view = { session, provider: describeProvider(registry.get(known(id))), way };
      if (begun.step === 'form') return formPage({ ...view, step: begun });
      return begun.step === 'device' ? devicePage({ ...view, step: begun }) : unknownWay();
    }
  });

  router.post('/services/:provider/:way', async (request, response) => {
    const { provider, way } = request.params;
    const session = sessionOf(response);
    const view = { session, provider: describeProvider(registry.get(known(provider))), way };
    const { state, ...fields } = fieldsOf(request);
    try {
      const step = await continueConnect(registry, { ...session, provider, state, fields });
      if (step.step === 'connected') return response.redirect(303, `/?connected=${provider}`);
      if (step.step === 'device') return response.send(devicePage({ ...view, step, isPending: true }));
      unknownWay();
    } catch (error) {
      if (!McaError.isInstance(error)) throw error;
      const isRejected = error.reason === 'rejected';
      if (way !== 'form' || !(isRejected || error.reason === 'invalid_field')) {
        return response.redirect(303, `/?failed=${provider}&because=${error.reason ?? error.code}`);
      }
      // A slip does not end the flow; what the service has refused does: then a new one begins on the same page.
      const asked = view.provider.connect.find(({ type }) => type === way)?.fields ?? [];
      const step = isRejected
        ? await beginConnect(registry, { ...session, provider, strategy: way })
        : ({ step: 'form', fields: asked, state: state ?? '' } as const);
      if (step.step !== 'form') return unknownWay();
      const wrong = isRejected ? `${view.provider.name} does not accept this.` : error.message;
      response.status(422).send(formPage({ ...view, step, wrong }));
    }
  });

  router.post('/connections/:id/disconnect', async (request, response) => {
    const { userId } = sessionOf(response);
    // Nothing may be stored after it.
    const connectionId = request.params.id;
    await jobs.stop(userId, connectionId);
    const { remoteRevoked } = await disconnect(registry, { userId, connectionId });
    response.redirect(303, `/?disconnected=${remoteRevoked === false ? 'here' : 'everywhere'}`);
  });

  function known(id: string): string {
    if (registry.list().some((provider) => provider.id === id)) return id;
    throw new Refusal(404, 'There is nothing here', 'No service has this name.');
  }

  function wayOf(id: string, way: string | null): AuthStrategy['type'] | undefined {
    return registry
      .list()
      .find((provider) => provider.id === id)
      ?.auth.find(({ type }) => type === way)?.type;
  }
  return router;
}

function unknownWay(): never {
  throw new Refusal(404, 'There is nothing here', 'The service cannot be connected this way.');
}

function fieldsOf(request: Request): Readonly<Record<string, string>> {
  const { csrf: _ours, ...fields } = (request.body ?? {}) as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
