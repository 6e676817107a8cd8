import { describeProviders, listConnections } from '@mca/core';
import { Router } from 'express';
import type { Context } from '../app.ts';
import { servicesPage } from '../pages/services-page.ts';
import { sessionOf } from '../web/session.ts';

/** The first page: what is connected, and what can be. */
export function servicesRoutes({ registry, jobs, demoUrl }: Context): Router {
  const router = Router();
  router.get('/', async (request, response) => {
    const session = sessionOf(response);
    const { userId } = session;
    const connections = (await listConnections(registry, { userId })).filter(({ kind }) => kind === 'api');
    response.send(
      servicesPage({
        session,
        providers: describeProviders(registry),
        connections: connections.map((connection) => ({ connection, job: jobs.of(userId, connection.id) })),
        isBusy: jobs.isBusy(userId),
        demoUrl,
        said: request.query,
        now: new Date(),
      }),
    );
  });
  return router;
}
