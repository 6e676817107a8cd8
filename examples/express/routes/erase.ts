import { disconnect, eraseUser, listConnections } from '@mca/core';
import { Router } from 'express';
import type { Context } from '../app.ts';
import { erasedPage, erasePage } from '../pages/erase-page.ts';
import { Refusal } from '../web/security.ts';
import { sessionOf } from '../web/session.ts';

/** Everything of a user goes, and nobody is left behind at the services. */
export function eraseRoutes({ registry, sessions, jobs }: Context): Router {
  const router = Router();
  router.get('/erase', (_request, response) => void response.send(erasePage(sessionOf(response))));
  router.post('/erase', async (request, response) => {
    if (request.body?.sure !== 'yes') {
      throw new Refusal(400, 'Nothing was erased', 'Tick the box to say that you are sure.');
    }
    const { userId } = sessionOf(response);
    // First what might still store something, then the services, which `eraseUser` does not tell, then what is here.
    const letIn = await jobs.shut(userId);
    try {
      const untold = new Set<string>();
      for (const { id, kind, status, provider } of await listConnections(registry, { userId })) {
        if (kind !== 'api' || status === 'disconnected') continue;
        const { remoteRevoked } = await disconnect(registry, { userId, connectionId: id });
        if (remoteRevoked === false) untold.add(nameOf(provider));
      }
      const { items } = await eraseUser(registry, { userId });
      sessions.end(response);
      response.send(erasedPage(items, [...untold]));
    } catch (error) {
      letIn();
      throw error;
    }
  });

  function nameOf(id: string): string {
    return registry.list().find((provider) => provider.id === id)?.name ?? id;
  }
  return router;
}
