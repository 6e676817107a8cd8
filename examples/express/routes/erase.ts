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
    if (request.body.sure !== 'yes')
      throw new Refusal(400, 'Nothing was erased', 'Tick the box to say that you are sure.');
    const { userId } = sessionOf(response);
    // First what might still store something, then the services, which `eraseUser` does not tell, then what is here.
    await jobs.stop(userId);
    for (const { id, kind, status } of await listConnections(registry, { userId })) {
      if (kind === 'api' && status !== 'disconnected') await disconnect(registry, { userId, connectionId: id });
    }
    const { items } = await eraseUser(registry, { userId });
    sessions.end(response);
    response.send(erasedPage(items));
  });
  return router;
}
