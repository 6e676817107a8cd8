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
}

export function honoApp({ registry, baseUrl, userOf, sync }: HonoHost): Hono {
  const connect = connectHandlers(registry, { baseUrl, user: userOf });
  const app = new Hono();
  app.use(bodyLimit({ maxSize: 65_536 }));
  app.all('/connect/*', async (context) => (await connect.handle(context.req.raw)) ?? context.notFound());
  app.post('/sync/:connection', async (context) => {
    // Browsers name the origin of every POST.
    if (context.req.header('origin') !== baseUrl) return context.json({ error: 'foreign_origin' }, 403);
    const user = userOf(context.req.raw);
    if (!user) return context.json({ error: 'not_logged_in' }, 401);
    const report = await sync(user.userId, context.req.param('connection'));
    return report ? context.json(report) : context.notFound();
  });
  return app;
}
