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
  readonly upload: (userId: string, file: File) => Promise<object>;
}

/** What the handlers read is short. */
const SHORT = 65_536;
/** An upload is in memory as a whole: larger exports belong on the disk, and their path into `importFile`. */
const LONG = 100_000_000;

export function fastifyApp({ registry, baseUrl, userOf, sync, upload }: FastifyHost): FastifyInstance {
  const { origin } = new URL(baseUrl);
  const connect = connectHandlers(registry, { baseUrl, user: userOf });
  const app = fastify({ bodyLimit: SHORT });
  // Bodies as they were sent: the handlers read them themselves.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  // Messages may name files, hosts and users: they are for the log.
  app.setErrorHandler<Error & { statusCode?: number }>((error, request, reply) => {
    const { statusCode = 500 } = error;
    request.log.error(error);
    return reply.code(statusCode).send({ error: statusCode < 500 ? 'refused' : 'internal' });
  });

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
    if (request.headers.origin !== origin) return reply.code(403).send({ error: 'foreign_origin' });
    const user = userOf(toWeb(request));
    if (!user) return reply.code(401).send({ error: 'not_logged_in' });
    return (await sync(user.userId, request.params.connection)) ?? reply.callNotFound();
  });
  // In the browser: fetch(`/import?name=${encodeURIComponent(file.name)}`, { method: 'POST', body: file })
  app.post<{ Querystring: { name?: string } }>('/import', { bodyLimit: LONG }, async (request, reply) => {
    if (request.headers.origin !== origin) return reply.code(403).send({ error: 'foreign_origin' });
    const sent = toWeb(request);
    const user = userOf(sent);
    if (!user) return reply.code(401).send({ error: 'not_logged_in' });
    const file = new File([await sent.blob()], request.query.name ?? 'upload');
    const report = await upload(user.userId, file);
    return reply.code('error' in report ? 422 : 200).send(report);
  });
  return app;
}
