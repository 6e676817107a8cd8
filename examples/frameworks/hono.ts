import { connectHandlers, type Registry, type RequestUser } from '@mca/core';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';

/** What the host brings along. */
export interface HonoHost {
  readonly registry: Registry;
  /** Public origin, from your configuration. */
  readonly baseUrl: string;
  /** Your own log-in. */
  readonly userOf: (request: Request) => RequestUser | undefined;
  readonly sync: (userId: string, connectionId: string) => Promise<object | undefined>;
  readonly upload: (userId: string, file: File) => Promise<object>;
}

/** What the handlers read is short. */
const SHORT = 65_536;
/** An upload is in memory as a whole: larger exports belong on the disk, and their path into `importFile`. */
const LONG = 100_000_000;

export function honoApp({ registry, baseUrl, userOf, sync, upload }: HonoHost): Hono {
  const { origin } = new URL(baseUrl);
  const connect = connectHandlers(registry, { baseUrl, user: userOf });
  const app = new Hono();
  app.all(
    '/connect/*',
    bodyLimit({ maxSize: SHORT }),
    async (context) => (await connect.handle(context.req.raw)) ?? context.notFound(),
  );
  app.post('/sync/:connection', bodyLimit({ maxSize: SHORT }), async (context) => {
    // Browsers name the origin of every POST.
    if (context.req.header('origin') !== origin) return context.json({ error: 'foreign_origin' }, 403);
    const user = userOf(context.req.raw);
    if (!user) return context.json({ error: 'not_logged_in' }, 401);
    const report = await sync(user.userId, context.req.param('connection'));
    return report ? context.json(report) : context.notFound();
  });
  // In the browser: fetch(`/import?name=${encodeURIComponent(file.name)}`, { method: 'POST', body: file })
  app.post('/import', bodyLimit({ maxSize: LONG }), async (context) => {
    if (context.req.header('origin') !== origin) return context.json({ error: 'foreign_origin' }, 403);
    const user = userOf(context.req.raw);
    if (!user) return context.json({ error: 'not_logged_in' }, 401);
    const file = new File([await context.req.blob()], context.req.query('name') ?? 'upload');
    const report = await upload(user.userId, file);
    return context.json(report, 'error' in report ? 422 : 200);
  });
  return app;
}
