import {
  type AddedProviderId,
  listConnections,
  type Registry,
  type SyncOptions,
  type SyncReport,
  syncHistory,
  syncLibrary,
  syncRatings,
} from '@mca/core';
import { Router } from 'express';
import type { Context } from '../app.ts';
import type { JobView, Work } from '../web/jobs.ts';
import { Refusal } from '../web/security.ts';
import { sessionOf } from '../web/session.ts';

/** The id comes from the store: the compiler cannot know what its provider is able to do, so we look. */
type Sync = (registry: Registry, options: SyncOptions<AddedProviderId>) => Promise<SyncReport>;

const ENGINES = { history: syncHistory, library: syncLibrary, ratings: syncRatings } satisfies Record<string, Sync>;

/** "Sync now", and how it goes on: as server-sent events, and on the page for those without scripts. */
export function syncRoutes({ registry, jobs }: Context): Router {
  const router = Router();

  router.post('/connections/:id/sync', async (request, response) => {
    const { userId } = sessionOf(response);
    const connection = (await listConnections(registry, { userId })).find(({ id }) => id === request.params.id);
    if (!connection) throw new Refusal(404, 'There is nothing here', 'You have no such connection.');
    jobs.start(userId, connection.id, 'Looking for what is new …', syncOf(registry, connection));
    response.redirect(303, `/#connection-${connection.id}`);
  });

  router.post('/connections/:id/stop', async (request, response) => {
    // Whole pages are stored: the next sync goes on where this one stopped.
    await jobs.stop(sessionOf(response).userId, request.params.id);
    response.redirect(303, '/?stopped');
  });

  router.get('/jobs/:id/events', (request, response) => {
    let number = 0;
    const send = (view: JobView): void => {
      // Not before there is something to tell: browsers would take the page that refuses for a stream.
      if (number === 0) response.set({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
      number += 1;
      const isLast = view.outcome !== undefined;
      const name = isLast ? 'done' : 'progress';
      response.write(`id: ${number}\nevent: ${name}\ndata: ${JSON.stringify(view)}\n\n`);
      if (isLast) response.end();
    };
    const stop = jobs.listen(sessionOf(response).userId, request.params.id, send);
    if (!stop) throw new Refusal(404, 'There is nothing here', 'This has ended a while ago.');
    response.on('close', stop);
  });
  return router;
}

/** All that a provider syncs, one capability after the other. */
function syncOf(
  registry: Registry,
  { id, userId, provider }: { readonly id: string; readonly userId: string; readonly provider: string },
): Work {
  return async (tell, signal) => {
    const { capabilities } = registry.get(provider);
    const reports: SyncReport[] = [];
    for (const [name, sync] of Object.entries<Sync>(ENGINES)) {
      if (capabilities[name as keyof typeof ENGINES] === undefined) continue;
      let most = 0;
      const options: SyncOptions<AddedProviderId> = {
        ...{ userId, provider: provider as AddedProviderId, connectionId: id, signal },
        onProgress({ counts, total = 0 }) {
          // What is new and old history are walks of their own, each with a total of its own.
          most = Math.max(most, total, counts.read);
          tell({ text: `${counts.read.toLocaleString('en-US')} records read`, done: counts.read, total: most });
        },
      };
      reports.push(await sync(registry, options));
    }
    return endOf(reports);
  };
}

const REASONS: Readonly<Record<string, string>> = {
  needs_reauth: 'The service no longer lets us in: connect again.',
  already_running: 'A sync is running already. Try again in a minute.',
  not_yet: 'The service asked us to wait. Try again later.',
  rate_limited: 'The service asked us to wait. Try again later.',
  disabled: 'This connection is switched off.',
  not_connected: 'This account is not connected any more.',
};

function endOf(reports: readonly SyncReport[]): JobView {
  const sum = (name: keyof SyncReport['counts']): number => reports.reduce((all, { counts }) => all + counts[name], 0);
  const [done, fresh] = [sum('read'), sum('inserted') + sum('updated')];
  const news = fresh === 0 ? 'Nothing new.' : `${fresh.toLocaleString('en-US')} new.`;
  const stuck = reports.find(({ status }) => status === 'failed' || status === 'skipped');
  if (stuck) {
    const reason = stuck.error?.code === 'auth_expired' ? 'needs_reauth' : (stuck.reason ?? '');
    const text = REASONS[reason] ?? [stuck.error?.message, stuck.error?.hint].filter(Boolean).join(' ');
    return { text, done, total: done, outcome: 'bad' };
  }
  const partly = reports.find(({ status }) => status !== 'complete');
  if (partly) return { text: `${news} ${partly.error?.hint ?? 'The rest comes next time.'}`, done, outcome: 'partly' };
  return { text: `${news} Everything is here.`, done, total: done, outcome: 'good' };
}
