import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import { Refusal } from './security.ts';

/** What ends a body before its end. */
export interface BodyOptions {
  readonly signal: AbortSignal;
  /** For how long nothing may come. */
  readonly idleMs: number;
}

/**
 * The bytes of a request as they come. Whoever stops reading still wants to answer: the connection is left open.
 *
 * @throws Refusal 408 when nothing comes for too long, 409 when it is stopped
 */
export async function* bytesOf(
  request: IncomingMessage,
  options: BodyOptions,
): AsyncGenerator<Buffer, void, undefined> {
  for (;;) {
    if (options.signal.aborted) throw stopped();
    const piece: Buffer | null = request.read();
    if (piece) yield piece;
    else if (request.complete) return;
    else await more(request, options);
  }
}

function more(request: IncomingMessage, { signal, idleMs }: BodyOptions): Promise<void> {
  return new Promise((done, fail) => {
    const end = (error?: Error): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      request.off('readable', onReadable).off('error', onGone).off('close', onGone);
      if (error) fail(error);
      else done();
    };
    const onReadable = (): void => end();
    const onGone = (): void => end(Object.assign(new Error('the connection is gone'), { code: 'ECONNRESET' }));
    const onAbort = (): void => end(stopped());
    const onIdle = (): void => end(new Refusal(408, 'The upload broke off', 'Nothing came for a while. Try again.'));
    const timer = setTimeout(onIdle, idleMs);
    if (request.destroyed) return onGone();
    signal.addEventListener('abort', onAbort);
    request.on('readable', onReadable).on('error', onGone).on('close', onGone);
  });
}

function stopped(): Refusal {
  return new Refusal(409, 'Stopped', 'The upload was stopped, and nothing of it is kept.');
}

/**
 * A body in memory, for what is short. Bytes are counted as they come, whatever the header says.
 *
 * @throws Refusal 413 when it is longer
 */
export async function shortBody(request: IncomingMessage, mostBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > mostBytes) {
      // Browsers hear an answer only when they are through with sending.
      setImmediate(() => request.resume());
      throw new Refusal(413, 'This is too long', 'The request has more in it than anything here needs.');
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Bodies that are no uploads come at once: Node's own limit is off, as uploads may take their time. */
export function hurry(mostMs: number): RequestHandler {
  return (request, _response, next) => {
    const timer = setTimeout(() => request.complete || request.socket.destroy(), mostMs).unref();
    request.once('close', () => clearTimeout(timer));
    next();
  };
}
