import type { Request as ExpressRequest, Response as ExpressResponse } from 'express';
import { shortBody } from './body.ts';

const MOST_BODY_BYTES = 65_536;

/** An Express request as the web's `Request`. Its address is made of the configuration, never of the `Host` header. */
export async function toWebRequest(request: ExpressRequest, baseUrl: string): Promise<Request> {
  const { method, headers, originalUrl } = request;
  return new Request(new URL(originalUrl, baseUrl), {
    method,
    headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
    body: method === 'POST' ? new Uint8Array(await shortBody(request, MOST_BODY_BYTES)) : null,
  });
}

/** Sends a web `Response` by Express. */
export async function sendWebResponse(answer: Response, response: ExpressResponse): Promise<void> {
  response.status(answer.status);
  for (const [name, value] of answer.headers) if (name !== 'set-cookie') response.set(name, value);
  // One header each, beside that of the session.
  for (const cookie of answer.headers.getSetCookie()) response.append('set-cookie', cookie);
  response.send(Buffer.from(await answer.arrayBuffer()));
}
