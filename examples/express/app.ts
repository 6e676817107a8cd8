import { fileURLToPath } from 'node:url';
import type { Registry } from '@mca/core';
import express, { type ErrorRequestHandler, type Express } from 'express';
import { errorPage } from './pages/error-page.ts';
import { connectRoutes } from './routes/connect.ts';
import { deviceRoutes } from './routes/devices.ts';
import { eraseRoutes } from './routes/erase.ts';
import { refusalOf } from './routes/failure.ts';
import { formRoutes } from './routes/forms.ts';
import { historyRoutes } from './routes/history.ts';
import { importRoutes, uploadRoute } from './routes/imports.ts';
import { servicesRoutes } from './routes/services.ts';
import { syncRoutes } from './routes/sync.ts';
import { hurry } from './web/body.ts';
import { describeError } from './web/describe-error.ts';
import type { Jobs } from './web/jobs.ts';
import { guardPosts, knownMethods, ownHost, Refusal, safeHeaders, withSession } from './web/security.ts';
import type { Sessions } from './web/session.ts';
import type { Turns } from './web/turns.ts';
import type { UploadLimits } from './web/upload.ts';

/** What the routes work with. */
export interface Context {
  readonly registry: Registry;
  readonly sessions: Sessions;
  readonly jobs: Jobs;
  /** At beginning to connect. */
  readonly turns: Turns;
  /** Public origin of the app. */
  readonly baseUrl: string;
  /** Of the demo service, where it runs. */
  readonly demoUrl: string | undefined;
  readonly timeZone: string;
  readonly upload: UploadLimits;
  /** Lines for whoever runs the app: no address with a query, no title, no token. */
  readonly log: (line: string) => void;
}

const BODY_MS = 30_000;

/** The app: what is safe first, then one router for each concern. */
export function createApp(context: Context): Express {
  const { baseUrl, sessions } = context;
  const app = express().disable('x-powered-by').disable('etag').set('query parser', 'simple');
  app.use(safeHeaders(baseUrl), ownHost(baseUrl), knownMethods);
  app.use('/static', express.static(fileURLToPath(new URL('./public', import.meta.url)), { index: false }));
  app.use(withSession(sessions));
  // An upload is streamed: its route looks at origin and token itself, before the file begins.
  app.use(uploadRoute(context));
  app.use(hurry(BODY_MS));
  app.use(express.urlencoded({ extended: false, limit: '64kb' }), guardPosts(baseUrl));
  app.use(servicesRoutes(context), connectRoutes(context), deviceRoutes(context), formRoutes(context));
  app.use(syncRoutes(context), importRoutes(context), historyRoutes(context), eraseRoutes(context));
  app.use(() => {
    throw new Refusal(404, 'There is nothing here', 'The page has moved, or the address has a slip in it.');
  });
  app.use(failed(context));
  return app;
}

/** Four arguments tell Express that this is for errors. Strangers learn nothing from it; the log has a number to look for. */
function failed({ log }: Context): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error);
    // Whoever asked has gone.
    if (request.socket.destroyed) return;
    const refusal = error instanceof Refusal ? error : refusalOf(error);
    if (refusal) {
      if (refusal !== error) log(`${request.method} ${request.path}: ${describeError(error)}`);
      if (refusal.status === 405) response.set('allow', 'GET, HEAD, POST');
      // Nobody sends any more: nothing to wait for.
      if (refusal.status === 408) response.set('connection', 'close');
      if (refusal.status === 429) response.set('retry-after', '60');
      return void response.status(refusal.status).send(errorPage(refusal.title, refusal.message));
    }
    // What Express itself refuses, such as bodies that are too long, has a status.
    const { status } = error as { readonly status?: unknown };
    if (typeof status === 'number' && status >= 400 && status < 500) {
      return void response.status(status).send(errorPage('This did not work', 'The request was not understood.'));
    }
    const reference = crypto.randomUUID().slice(0, 8);
    log(`${reference} ${request.method} ${request.path}: ${describeError(error)}`);
    response.status(500).send(errorPage('Something went wrong', `It is our fault. Reference: ${reference}.`));
  };
}
