import { connectHandlers, type Registry, type RequestUser } from '@mca/core';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';

/** What the host brings along. */
export interface FastifyHost {
  readonly registry: Registry;
  /** Public origin, from your configuration. */
  readonly baseUrl: string;
  /** Your own log-in. */
  readonly userOf: (request: Request) => RequestUser | undefined;
  readonly sync: (userId: string, connectionId: string) => Promise<object | undefined>;
}

export function fastifyApp({ registry, baseUrl, userOf, sync }: FastifyHost): FastifyInstance {
  const connect = connectHandlers(registry, { baseUrl, user: userOf });
  const app = fastify({ bodyLimit: 65_536 });
  // Bodies as they were sent: the handlers read them themselves.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  /** The address is made of the configuration, never of the `Host` header. */
  function toWeb({ method, url, headers, body }: FastifyRequest): Request {
    const given = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
    const sent = method === 'GET' || method === 'HEAD' ? null : new Uint8Array((body as Buffer | undefined) ?? []);
    return new Request(new URL(url, baseUrl), { method, headers: given, body: sent });
  }

  app.all('/connect/*', async (request, reply) => {
    const answer = await connect.handle(toWeb(request));
    if (!answer) return reply.callNotFound();
    return reply
      .code(answer.status)
      .headers(Object.fromEntries(answer.headers))
      .send(await answer.text());
  });
  app.post<{ Params: { connection: string } }>('/sync/:connection', async (request, reply) => {
    // Browsers name the origin of every POST.
    if (request.headers.origin !== baseUrl) return reply.code(403).send({ error: 'foreign_origin' });
    const user = userOf(toWeb(request));
    if (!user) return reply.code(401).send({ error: 'not_logged_in' });
    return (await sync(user.userId, request.params.connection)) ?? reply.callNotFound();
  });
  return app;
}
