import { listConnections, type Registry, syncConnection } from '@mca/core';
import { Router } from 'express';
import type { Context } from '../app.ts';
import type { Job, Work } from '../web/jobs.ts';
import { Refusal } from '../web/security.ts';
import { sessionOf } from '../web/session.ts';
import { syncOutcome } from './sync-outcome.ts';

const PULSE_MS = 20_000;

/** "Sync now", and how it goes on: as server-sent events, and on the page for those without scripts. */
export function syncRoutes({ registry, jobs, log }: Context): Router {
  const router = Router();

  router.post('/connections/:id/sync', async (request, response) => {
    const { userId } = sessionOf(response);
    const connection = (await listConnections(registry, { userId })).find(({ id }) => id === request.params.id);
    if (!connection) throw new Refusal(404, 'There is nothing here', 'You have no such connection.');
    jobs.start(userId, connection.id, 'Looking for what is new …', syncOf(registry, connection, log));
    response.redirect(303, `/#connection-${connection.id}`);
  });

  router.post('/connections/:id/stop', async (request, response) => {
    // Whole pages are stored: the next sync goes on where this one stopped.
    await jobs.stop(sessionOf(response).userId, request.params.id);
    response.redirect(303, '/?stopped');
  });

  // One stream for all jobs of a user: browsers open six connections to a host, and a page with six streams would hang.
  router.get('/jobs/events', (_request, response) => {
    const { userId } = sessionOf(response);
    let number = 0;
    const send = ({ id, view }: Job): void => {
      // Not before there is something to tell: browsers would take the page that refuses for a stream.
      if (number === 0) response.set({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
      const name = view.outcome === undefined ? 'progress' : 'done';
      // Whoever reads slowly hears of fewer steps, but of every end.
      if (name === 'progress' && response.writableNeedDrain) return;
      number += 1;
      response.write(`id: ${number}\nevent: ${name}\ndata: ${JSON.stringify({ job: id, ...view })}\n\n`);
    };
    const end = (): void => void response.end('event: end\ndata: {}\n\n');
    const stop = jobs.listen(userId, send, end);
    if (!stop) throw new Refusal(404, 'There is nothing here', 'This has ended a while ago.');
    // Proxies close what is silent for long, such as an upload on a slow line.
    const pulse = setInterval(() => response.writableNeedDrain || response.write(': still here\n\n'), PULSE_MS);
    const leave = (): void => {
      clearInterval(pulse);
      stop();
    };
    if (response.writableEnded) leave();
    else response.once('close', leave).once('finish', leave);
  });
  return router;
}

/** All that a connection has. */
function syncOf(
  registry: Registry,
  { id: connectionId, userId }: { readonly id: string; readonly userId: string },
  log: (line: string) => void,
): Work {
  return async (tell, signal) => {
    let now = '';
    let most = 0;
    const reports = await syncConnection(registry, {
      ...{ userId, connectionId, signal },
      onProgress({ capability, counts, total = 0 }) {
        // What is new and old history are walks of their own, each with a total of its own.
        most = Math.max(capability === now ? most : 0, total, counts.read);
        now = capability;
        tell({ text: `${counts.read.toLocaleString('en-US')} records read`, done: counts.read, total: most });
      },
    });
    return syncOutcome(reports, log);
  };
}
