import { execFile } from 'node:child_process';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import zlib, { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock, systemFetch, systemTimers } from '../../src/runtime/env.ts';
import { API_LIMITS, type ExchangeLimits, exchange, TOKEN_LIMITS } from '../../src/runtime/http/exchange.ts';
import { faultProxy } from '../../src/testing/fault-proxy.ts';
import { httpUnderTest, jsonAnswer, recordingFetch, testProvider } from '../support/http-setup.ts';
import { recordFigure } from '../support/reliability.ts';

interface Running {
  readonly port: number;
  readonly url: string;
  readonly open: ReadonlySet<Socket>;
}

const servers: { readonly server: Server; readonly open: Set<Socket> }[] = [];

async function listen(server: Server, scheme = 'http'): Promise<Running> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  servers.push({ server, open });
  const { port } = server.address() as AddressInfo;
  return { port, url: `${scheme}://127.0.0.1:${port}`, open };
}

const serve = (listener: RequestListener): Promise<Running> => listen(createServer(listener));

afterEach(async () => {
  for (const { server, open } of servers.splice(0)) {
    for (const socket of open) socket.destroy();
    await new Promise((done) => server.close(done));
  }
});

/** The real limits with every time divided by a hundred. */
const QUICK: ExchangeLimits = { ...API_LIMITS, headersMs: 200, bodyIdleMs: 200, totalMs: 600 };
const real = { clock: systemClock, timers: systemTimers, fetch: systemFetch };

function overNetwork(baseUrl: string, limits: ExchangeLimits = QUICK) {
  return httpUnderTest(systemFetch, { baseUrl, limits, env: real });
}

async function timed(work: Promise<unknown>): Promise<{ readonly error: unknown; readonly ms: number }> {
  const startedAt = performance.now();
  const error = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  return { error, ms: performance.now() - startedAt };
}

async function closedWithin(open: ReadonlySet<Socket>, ms: number): Promise<boolean> {
  for (const end = performance.now() + ms; performance.now() < end; ) {
    if (open.size === 0) return true;
    await new Promise((wake) => setTimeout(wake, 5));
  }
  return open.size === 0;
}

describe('R-034 services that keep us waiting', () => {
  const never: readonly [string, () => Promise<Running>, keyof ExchangeLimits][] = [
    ['never answers', () => serve(() => {}), 'headersMs'],
    ['accepts and says nothing', () => listen(createTcpServer((socket) => socket.resume())), 'headersMs'],
    [
      'never finishes TLS',
      () =>
        listen(
          createTcpServer((socket) => socket.resume()),
          'https',
        ),
      'headersMs',
    ],
    [
      'stops in the middle of the body',
      () =>
        serve((_request, response) => {
          response.writeHead(200, { 'content-length': 100 }).write('{"a":');
        }),
      'bodyIdleMs',
    ],
    [
      'sends a byte now and then',
      () =>
        serve((_request, response) => {
          response.writeHead(200);
          const timer = setInterval(() => response.write(' '), 20);
          response.on('close', () => clearInterval(timer));
        }),
      'totalMs',
    ],
    [
      'sends headers byte by byte',
      () =>
        listen(
          createTcpServer((socket) => {
            socket.write('HTTP/1.1 200 OK\r\nx: ');
            const timer = setInterval(() => socket.write('a'), 20);
            socket.on('close', () => clearInterval(timer));
          }),
        ),
      'headersMs',
    ],
  ];

  for (const [name, start, limit] of never) {
    test(`R-034 one that ${name} is given up, and its socket closed`, async () => {
      const { url, open } = await start();
      // Each limit by itself: the others are far away.
      const far = { headersMs: 5_000, bodyIdleMs: 5_000, totalMs: 5_000, maxBytes: QUICK.maxBytes };
      const { get } = overNetwork(url, { ...far, [limit]: QUICK[limit] });
      const { error, ms } = await timed(get('x', { method: 'POST' }));
      expect(error).toMatchObject({ code: 'upstream', reason: 'timeout', provider: 'test-service' });
      expect(ms).toBeGreaterThanOrEqual(QUICK[limit] - 5);
      expect(ms).toBeLessThan(QUICK[limit] + 1_000);
      // A socket whose TLS is not done yet is closed by the platform's own time-out for connecting, 10 s.
      const isTls = url.startsWith('https');
      const closesAfterMs = isTls ? 12_000 : 1_000;
      if (!isTls || process.env.MCA_TEST_FULL) expect(await closedWithin(open, closesAfterMs)).toBe(true);
      const sockets = isTls ? 'socket closed by the time-out for connecting' : '0 sockets left';
      recordFigure('R-034', `limit ${QUICK[limit]} ms: ended after ${Math.round(ms)} ms, ${sockets}`);
    });

    test(`R-034 an abort ends the wait for one that ${name}`, async () => {
      const { url, open } = await start();
      const { get, controller } = overNetwork(url, API_LIMITS);
      const work = timed(get());
      await new Promise((wake) => setTimeout(wake, 60));
      const abortedAt = performance.now();
      controller.abort();
      expect((await work).error).toMatchObject({ code: 'cancelled' });
      expect(performance.now() - abortedAt).toBeLessThanOrEqual(250);
      if (!url.startsWith('https')) expect(await closedWithin(open, 1_000)).toBe(true);
    });
  }

  test('R-034 the limits are 20 s for headers and between pieces, 60 s in all, 15 s for tokens', () => {
    expect(API_LIMITS).toEqual({ headersMs: 20_000, bodyIdleMs: 20_000, totalMs: 60_000, maxBytes: 10_485_760 });
    expect(TOKEN_LIMITS).toMatchObject({ totalMs: 15_000, maxBytes: 65_536 });
  });
});

const BOMB_WORKER = fileURLToPath(new URL('bomb-worker.ts', import.meta.url));

describe('R-035 answers that are too large', () => {
  const MIB = 2 ** 20;
  const zeros = Buffer.alloc(64 * MIB);
  const bombs: Readonly<Record<string, () => Buffer>> = {
    gzip: () => gzipSync(zeros, { level: 9 }),
    deflate: () => deflateSync(zeros, { level: 9 }),
    br: () => brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
    // Since Node 22.15; before it fetch does not decode it either.
    ...('zstdCompressSync' in zlib ? { zstd: () => zlib.zstdCompressSync(zeros) } : {}),
    'gzip, gzip': () => gzipSync(gzipSync(zeros, { level: 9 })),
  };

  for (const [encoding, make] of Object.entries(bombs)) {
    test(`R-035 a bomb of ${encoding} is cut off at the limit of decoded bytes`, async () => {
      const bomb = make();
      expect(zeros.byteLength / bomb.byteLength).toBeGreaterThan(900);
      const lawful = JSON.stringify('x'.repeat(9 * MIB));
      const { url } = await serve((request, response) => {
        if (request.url?.includes('lawful')) response.writeHead(200).end(lawful);
        else response.writeHead(200, { 'content-encoding': encoding }).end(bomb);
      });
      const args = ['--conditions=@mca/source', '--no-warnings', BOMB_WORKER, url];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      const { reason, grownKiB } = JSON.parse(stdout) as { reason: string; grownKiB: number };
      expect(reason).toBe('response_too_large');
      expect(grownKiB / 1_024).toBeLessThanOrEqual(32);
      const ratio = Math.round(zeros.byteLength / bomb.byteLength);
      recordFigure('R-035', `${encoding} ${ratio}:1, peak memory grew by ${(grownKiB / 1_024).toFixed(1)} MiB`);
    });
  }

  test('R-035 an endless answer, and one that lies about its length, end too', async () => {
    const endless = await serve((_request, response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(65_536, 32);
      const push = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', push);
      push();
    });
    const first = await timed(overNetwork(endless.url, API_LIMITS).get());
    expect(first.error).toMatchObject({ reason: 'response_too_large' });
    expect(await closedWithin(endless.open, 1_000)).toBe(true);

    const short = await serve((request, response) => {
      response.writeHead(200, { 'content-length': 1_000 }).write('{}');
      setTimeout(() => request.socket.destroy(), 20);
    });
    const second = await timed(overNetwork(short.url).get('x', { method: 'POST' }));
    expect(second.error).toMatchObject({ code: 'upstream', reason: 'network' });

    const long = await listen(
      createTcpServer((socket) => {
        socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}${'x'.repeat(1_000)}`));
      }),
    );
    expect((await timed(overNetwork(long.url).get('x', { method: 'POST' }))).error).not.toMatchObject({
      code: 'plugin',
    });
  });

  test('R-035 the limit is the byte: as much is read, one more is not', async () => {
    const limits = { ...TOKEN_LIMITS, maxBytes: 1_000 };
    for (const [size, isFine] of [
      [1_000, true],
      [1_001, false],
    ] as const) {
      const request = new Request('https://api.test.example/');
      const work = exchange(
        { timers: systemTimers },
        async () => new Response(new Uint8Array(size)),
        request,
        limits,
        new AbortController().signal,
      );
      if (isFine) expect((await work).body.byteLength).toBe(size);
      else await expect(work).rejects.toMatchObject({ reason: 'response_too_large' });
    }
  });
});

describe('R-036 redirects', () => {
  const SECRET = 'canary-secret';
  const carriers = ['authorization', 'cookie', 'x-api-key', 'trakt-api-key', 'body'] as const;

  test('R-036 nothing secret follows a redirect to another origin, over 5 codes, 2 methods and 5 carriers', async () => {
    const seen: string[] = [];
    const b = await serve((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        seen.push(JSON.stringify(request.headers) + Buffer.concat(chunks));
        response.end('{}');
      });
    });
    const a = await serve((request, response) => {
      request.resume();
      const status = Number(new URL(request.url ?? '', 'http://a').searchParams.get('status'));
      response.writeHead(status, { location: `${b.url}/elsewhere` }).end();
    });
    let cases = 0;
    let leaksOfPlainFetch = 0;
    for (const status of [301, 302, 303, 307, 308]) {
      for (const method of ['GET', 'POST'] as const) {
        for (const carrier of carriers) {
          if (carrier === 'body' && method === 'GET') continue;
          cases += 1;
          const headers: Record<string, string> = carrier === 'body' ? {} : { [carrier]: SECRET };
          const form = { refresh_token: carrier === 'body' ? SECRET : 'x' };
          const { get } = overNetwork(a.url);
          const { error } = await timed(
            get('x', { method, query: { status }, headers, ...(method === 'POST' ? { form } : {}) }),
          );
          expect(error, `${status} ${method} ${carrier}`).toMatchObject({
            reason: 'redirect_refused',
            retryable: false,
          });
          expect(seen).toEqual([]);
          // The harm that is prevented is real: the platform's own fetch does it.
          await fetch(`${a.url}/x?status=${status}`, {
            method,
            headers,
            body: method === 'POST' ? new URLSearchParams(form) : null,
          });
          if (seen.splice(0).join().includes(SECRET)) leaksOfPlainFetch += 1;
        }
      }
    }
    expect(leaksOfPlainFetch).toBeGreaterThan(0);
    recordFigure('R-036', `${cases} cases: 0 secrets at the other origin (plain fetch leaks in ${leaksOfPlainFetch})`);
  });

  test('R-036 redirects on the same origin are followed three times, each signed anew', async () => {
    for (const [hops, isFine] of [
      [1, true],
      [3, true],
      [4, false],
    ] as const) {
      const { fetch, requests } = recordingFetch((_request, count) =>
        count <= hops
          ? new Response(null, { status: 302, headers: { location: `/v1/hop?n=${count}` } })
          : jsonAnswer('end'),
      );
      const { get, time } = httpUnderTest(fetch);
      if (isFine) expect(await time.until(get())).toBe('end');
      else await expect(time.until(get())).rejects.toMatchObject({ reason: 'redirect_refused' });
      expect(requests).toHaveLength(Math.min(hops, 3) + 1);
    }
  });

  test('R-036 never from https to http, to another port, to another scheme, or for anything but reading', async () => {
    const targets = [
      'http://api.test.example/v1/x',
      'https://api.test.example:444/',
      'file:///etc/passwd',
      'data:,x',
      'https://',
    ];
    for (const location of targets) {
      const { fetch, requests } = recordingFetch(() => new Response(null, { status: 302, headers: { location } }));
      const { get, time } = httpUnderTest(fetch);
      await expect(time.until(get()), location).rejects.toMatchObject({ reason: 'redirect_refused' });
      expect(requests).toHaveLength(1);
    }
    for (const method of ['POST', 'PUT', 'DELETE'] as const) {
      const { fetch, requests } = recordingFetch(
        () => new Response(null, { status: 307, headers: { location: '/v1/y' } }),
      );
      const { get, time } = httpUnderTest(fetch);
      await expect(time.until(get('x', { method })), method).rejects.toMatchObject({ reason: 'redirect_refused' });
      expect(requests).toHaveLength(1);
    }
    const { fetch } = recordingFetch(
      () => new Response(null, { status: 301, headers: { location: 'https://music.home.arpa/' } }),
    );
    const { get, time } = httpUnderTest(fetch, { baseUrl: 'http://music.home.arpa' });
    await expect(time.until(get())).rejects.toMatchObject({ hint: expect.stringContaining('https') });
  });
});

test('bodies go out with their length, not chunked: some services refuse those', async () => {
  const heads: Record<string, unknown>[] = [];
  const { url } = await serve((request, response) => {
    heads.push({ ...request.headers });
    request.resume().on('end', () => response.end('{}'));
  });
  const { get } = overNetwork(url);
  await get('x', { method: 'POST', form: { a: 'b' } });
  expect(heads[0]).toMatchObject({ 'content-length': '3' });
  expect(heads[0]).not.toHaveProperty('transfer-encoding');
});

test('R-089 every fault of a connection is a typed error, and nothing is left unhandled', async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => {
    unhandled.push(error);
  };
  process.on('unhandledRejection', note);
  const service = await serve((_request, response) => {
    const body = JSON.stringify({ items: Array.from({ length: 50 }, (_, id) => ({ id })) });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
  });
  const expected = {
    none: undefined,
    reset: 'network',
    'half-open': 'timeout',
    trickle: 'timeout',
    truncate: 'network',
    'wrong-length': 'network',
    garbage: 'network',
    delay: undefined,
  } as const;
  for (const [fault, reason] of Object.entries(expected) as [keyof typeof expected, string | undefined][]) {
    // One each: a connection that is kept alive keeps its fault.
    const proxy = await faultProxy({ targetPort: service.port, fault, trickleMs: 10, delayMs: 100 });
    const { get } = overNetwork(proxy.url, { ...QUICK, totalMs: 400 });
    const { error } = await timed(get('x', { method: 'POST' }));
    if (reason === undefined) expect(error, fault).toBeUndefined();
    else expect(error, fault).toMatchObject({ code: 'upstream', reason });
    await proxy.close();
    expect(proxy.openConnections, fault).toBe(0);
  }
  await new Promise((wake) => setTimeout(wake, 50));
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
  recordFigure(
    'R-089',
    `${Object.keys(expected).length} faults of connections: a typed error each, 0 unhandled rejections`,
  );
});

test('an own server behind a guarded fetch is never asked by the plain one', async () => {
  const plain = recordingFetch(() => jsonAnswer({}));
  const guarded = recordingFetch(() => jsonAnswer('own'));
  const under = httpUnderTest(plain.fetch, {
    baseUrl: 'https://music.home.arpa',
    guardedFetch: guarded.fetch,
    provider: testProvider(),
  });
  expect(await under.time.until(under.get())).toBe('own');
  expect(plain.requests).toHaveLength(0);
});
