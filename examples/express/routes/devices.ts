import { beginConnect, continueConnect, McaError } from '@mca/core';
import { type Request, type Response, Router } from 'express';
import type { Context } from '../app.ts';
import { beginDevicePage, devicePage } from '../pages/connect-pages.ts';
import { keyOf } from '../pages/words.ts';
import { describeError } from '../web/describe-error.ts';
import { DeviceFlows } from '../web/device-flows.ts';
import { sessionOf } from '../web/session.ts';
import { textOf } from '../web/text.ts';
import { connectable, ownConnection } from './known.ts';

const WAY = 'device-code';

/** A code that is entered on another device: shown, and asked about until the user has agreed there. */
export function deviceRoutes({ registry, jobs, turns, log }: Context): Router {
  const router = Router();
  const codes = new DeviceFlows();

  async function viewOf(id: string, given: unknown, response: Response) {
    const session = sessionOf(response);
    const provider = connectable(registry, id, WAY);
    const connectionId = textOf(given) || undefined;
    await ownConnection(registry, { ...session, provider: id, connectionId });
    return { session, provider, connectionId, flow: { userId: session.userId, provider: id, connectionId } };
  }

  // Opening the page asks the service for nothing: anybody can be sent to it, as often as somebody likes.
  router.get(`/services/:provider/${WAY}`, async (request, response) => {
    const view = await viewOf(request.params.provider, request.query.connectionId, response);
    const step = codes.of(view.flow);
    response.send(step ? devicePage({ ...view, step }) : beginDevicePage(view));
  });

  router.post(`/services/:provider/${WAY}`, async (request, response) => {
    const sent = (request.body ?? {}) as Readonly<Record<string, unknown>>;
    const state = textOf(sent.state);
    const view = await viewOf(request.params.provider, sent.connectionId, response);
    const { session, connectionId, flow } = view;
    const { provider } = flow;

    if (!state) {
      await codes.once(`begin ${JSON.stringify(flow)}`, async () => {
        if (codes.of(flow)) return;
        const { userId } = session;
        turns.take(userId);
        const step = await jobs.during(userId, () =>
          beginConnect(registry, { ...session, provider, strategy: WAY, connectionId }),
        );
        if (step.step === 'device') codes.keep(flow, step);
      });
      const query = connectionId ? `?${new URLSearchParams({ connectionId })}` : '';
      return response.redirect(303, `/services/${provider}/${WAY}${query}`);
    }
    try {
      const step = await codes.once(`${session.userId} ${state}`, () =>
        jobs.during(session.userId, () => continueConnect(registry, { ...session, provider, state })),
      );
      if (step.step === 'device') {
        if (wantsJson(request)) return response.json({ pollAfterMs: step.pollAfterMs });
        return response.send(devicePage({ ...view, step, isPending: true }));
      }
      codes.forget(flow);
      if (step.step === 'connected') jobs.forget(session.userId, step.connection.id);
      goTo(`/?${new URLSearchParams({ connected: provider })}`);
    } catch (error) {
      if (!McaError.isInstance(error)) throw error;
      log(`connecting ${provider}: ${describeError(error)}`);
      codes.forget(flow);
      goTo(`/?${new URLSearchParams({ failed: provider, because: keyOf(error) })}`);
    }

    function goTo(location: string): void {
      if (wantsJson(request)) response.json({ location });
      else response.redirect(303, location);
    }
  });
  return router;
}

function wantsJson(request: Request): boolean {
  return request.accepts(['html', 'json']) === 'json';
}
