import { expect, test } from 'vitest';
import type { AnyProvider } from '../../src/contracts/provider.ts';
import { anything, httpUnderTest, jsonAnswer, recordingFetch, testProvider } from '../support/http-setup.ts';
import { recordFigure } from '../support/reliability.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test('R-030 10,000 calls against a dead service cost at most 10,100 requests', async () => {
  const deaths: readonly [string, () => Response, number][] = [
    // 429 does not trip the circuit breaker: here the quota alone holds the line.
    ['answers 429 only', () => jsonAnswer({}, 429), 10_000],
    ['answers 500 only', () => jsonAnswer({}, 500), 1],
    ['drops connections', () => raise(), 1],
  ];
  const figures: string[] = [];
  for (const [name, answer, atLeast] of deaths) {
    let requests = 0;
    const under = httpUnderTest(async () => {
      requests += 1;
      return answer();
    });
    const client = under.clientOf('one');
    const call = () =>
      client.request({ path: 'x', operation: 'x', schema: anything }).then(
        () => expect.unreachable(),
        () => undefined,
      );
    for (let batch = 0; batch < 100; batch += 1) {
      await under.time.until(Promise.all(Array.from({ length: 100 }, call)));
    }
    expect(requests, name).toBeLessThanOrEqual(10_100);
    expect(requests, name).toBeGreaterThanOrEqual(atLeast);
    figures.push(`${name}: ${requests}`);
  }
  recordFigure('R-030', `requests for 10,000 calls to a service that ${figures.join('; ')}`);
});

test('R-030 the quota of one connection is not spent by another, and successes refill it', async () => {
  let isDead = true;
  let requests = 0;
  const under = httpUnderTest(async () => {
    requests += 1;
    return isDead ? jsonAnswer({}, 429) : jsonAnswer({});
  });
  const call = async (connection: string, times: number): Promise<number> => {
    const before = requests;
    const client = under.clientOf(connection);
    const calls = Array.from({ length: times }, () =>
      client.request({ path: 'x', operation: 'x', schema: anything }).catch(() => undefined),
    );
    await under.time.until(Promise.all(calls));
    return requests - before;
  };
  expect(await call('one', 100)).toBe(200);
  expect(await call('one', 10)).toBe(10);
  expect(await call('two', 10)).toBe(30);
  isDead = false;
  expect(await call('one', 50)).toBe(50);
  isDead = true;
  expect(await call('one', 100)).toBe(110);
});

test('R-030 three attempts with full jitter: waits spread over 100 and 200 ms, throttled a second more', async () => {
  for (const [status, longest, shortest] of [
    [500, [100, 200], 0],
    [429, [2_000, 3_000], 1_000],
  ] as const) {
    const waits: number[][] = [[], []];
    for (let index = 0; index < 200; index += 1) {
      const { fetch } = recordingFetch(() => jsonAnswer({}, status));
      const seeded = index / 200;
      const under = httpUnderTest(fetch, {
        env: { random: { bytes: (length) => new Uint8Array(length).fill(Math.floor(seeded * 256)) } },
      });
      await expect(under.time.until(under.get())).rejects.toThrow();
      const told = under.events.filter((event) => event.type === 'request_waiting');
      expect(told).toHaveLength(2);
      told.forEach(({ waitMs }, attempt) => {
        waits[attempt]?.push(waitMs);
      });
    }
    waits.forEach((each, attempt) => {
      const most = longest[attempt] ?? 0;
      expect(Math.max(...each)).toBeLessThanOrEqual(most);
      expect(Math.max(...each)).toBeGreaterThan(most * 0.95);
      expect(Math.min(...each)).toBeGreaterThanOrEqual(shortest);
      expect(Math.min(...each)).toBeLessThan(shortest + most * 0.05);
    });
  }
});

test('R-039 six hours of outage with 1,000 connections cost at most 400 requests; recovery takes at most 61 s', async () => {
  let isDown = true;
  let requests = 0;
  const under = httpUnderTest(async () => {
    requests += 1;
    return isDown ? jsonAnswer({}, 503) : jsonAnswer({});
  });
  const clients = Array.from({ length: 1_000 }, (_, index) => under.clientOf(`connection-${index}`));
  let calls = 0;
  // Every connection syncs each quarter of an hour, spread evenly: 1,000 in 900 s.
  const callNext = async (): Promise<boolean> => {
    const client = clients[calls % clients.length];
    calls += 1;
    try {
      await client?.request({ path: 'x', operation: 'x', schema: anything });
      return true;
    } catch {
      return false;
    }
  };
  const end = under.time.clock.now() + 6 * HOUR;
  while (under.time.clock.now() < end) {
    expect(await under.time.until(callNext())).toBe(false);
    await under.time.advance(900);
  }
  expect(requests).toBeLessThanOrEqual(400);
  expect(requests).toBeGreaterThanOrEqual(360);
  expect(calls).toBeGreaterThan(20_000);

  isDown = false;
  const backAt = under.time.clock.now();
  const isClosed = (): boolean => under.events.some(({ type }) => type === 'circuit_closed');
  while (!isClosed()) {
    await under.time.until(callNext());
    await under.time.advance(900);
  }
  const recoveryMs = under.time.clock.now() - backAt;
  expect(recoveryMs).toBeLessThanOrEqual(61_000);
  for (let index = 0; index < 100; index += 1) expect(await under.time.until(callNext())).toBe(true);
  expect(under.events.filter(({ type }) => type === 'circuit_opened')).toHaveLength(1);
  recordFigure(
    'R-039',
    `${requests - 100} requests for ${calls} calls in 6 h of outage; recovery after ${(recoveryMs / 1_000).toFixed(1)} s`,
  );
});

test('R-039 4xx and 429 do not open the circuit; five failures in a row do, four do not', async () => {
  const statuses = async (list: readonly number[]): Promise<boolean> => {
    let next = 0;
    const under = httpUnderTest(async () => jsonAnswer({}, list[next++] ?? 200));
    for (let index = 0; index < list.length; index += 1) {
      await under.time.until(under.get('x', { method: 'POST' })).catch(() => undefined);
    }
    return under.events.some(({ type }) => type === 'circuit_opened');
  };
  expect(await statuses([500, 500, 500, 500])).toBe(false);
  expect(await statuses([500, 500, 500, 500, 500])).toBe(true);
  expect(await statuses([500, 500, 500, 500, 404, 500, 500, 500, 500])).toBe(false);
  expect(await statuses([400, 401, 403, 404, 429, 429, 422, 410, 400, 400])).toBe(false);
});

test('R-039 one host that fails does not close the way to another', async () => {
  const provider = testProvider({ hosts: ['cdn.test.example'] });
  const { fetch } = recordingFetch((request) => jsonAnswer({}, request.url.includes('cdn') ? 500 : 200));
  const under = httpUnderTest(fetch, { provider });
  for (let index = 0; index < 3; index += 1) {
    await under.time.until(under.get('https://cdn.test.example/x')).catch(() => undefined);
  }
  await expect(under.get('https://cdn.test.example/x')).rejects.toMatchObject({ reason: 'circuit_open' });
  expect(await under.time.until(under.get('x'))).toEqual({});
});

const limited: AnyProvider = testProvider({
  limits: [
    { scope: 'app', requests: 5, perMs: 1_000 },
    { scope: 'connection', requests: 2, perMs: 1_000 },
  ],
});

test('R-033 in one process: 1,000 calls of 10 connections never start more than 5 in a second', async () => {
  const times: number[] = [];
  const provider = testProvider({ limits: [{ scope: 'app', requests: 5, perMs: 1_000 }] });
  const under = httpUnderTest(
    async () => {
      times.push(under.time.clock.now());
      return jsonAnswer({});
    },
    { provider },
  );
  const clients = Array.from({ length: 10 }, (_, index) => under.clientOf(`c${index}`));
  const calls = Array.from({ length: 1_000 }, (_, index) =>
    clients[index % 10]?.request({ path: 'x', operation: 'x', schema: anything }),
  );
  await under.time.until(Promise.all(calls));
  const most = Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1_000).length));
  expect(times).toHaveLength(1_000);
  expect(most).toBe(5);
  const tookS = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1_000;
  expect(tookS).toBeLessThan(202);
  recordFigure('R-033', `one process, 1,000 calls at 5/s: at most ${most} in any second, ${tookS.toFixed(1)} s in all`);
});

test('a 429 to one connection makes all of the app wait; nobody asks before', async () => {
  const times: number[] = [];
  const under = httpUnderTest(
    async () => {
      times.push(under.time.clock.now() - begin);
      return times.length === 1 ? jsonAnswer({}, 429, { 'retry-after': '10' }) : jsonAnswer({});
    },
    { provider: limited },
  );
  const begin = under.time.clock.now();
  const ask = (id: string) => under.clientOf(id).request({ path: 'x', operation: 'x', schema: anything });
  await under.time.until(Promise.all([ask('one'), under.time.advance(100).then(() => ask('two'))]));
  expect(times).toHaveLength(3);
  expect(times.slice(1).every((at) => at >= 10_000)).toBe(true);
});

test('a pause of more than a minute is thrown to everybody who waits or comes, and nothing is sent', async () => {
  let requests = 0;
  const under = httpUnderTest(
    async () => {
      requests += 1;
      return jsonAnswer({}, 429, { 'retry-after': '3600' });
    },
    { provider: limited },
  );
  const ask = (id: string) =>
    under
      .clientOf(id)
      .request({ path: 'x', operation: 'x', schema: anything })
      .catch((error: unknown) => error);
  // Five may go at once; the others wait when the answers come.
  const errors = await under.time.until(Promise.all(Array.from({ length: 20 }, (_, index) => ask(`c${index}`))));
  const late = await under.time.until(ask('late'));
  for (const error of [...errors, late]) {
    expect(error).toMatchObject({ code: 'rate_limit', retryAfterMs: expect.any(Number), provider: 'test-service' });
  }
  expect(requests).toBe(5);
  expect((late as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(3_500_000);
});

test('a used-up window is waited out before the next request', async () => {
  const times: number[] = [];
  const under = httpUnderTest(
    async () => {
      times.push(under.time.clock.now() - begin);
      return jsonAnswer({}, 200, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset-in': '7' });
    },
    { provider: limited },
  );
  const begin = under.time.clock.now();
  await under.time.until(under.get());
  await under.time.until(under.get());
  expect(times[1]).toBeGreaterThanOrEqual(7_000);
});

test('limiters of 10,000 connections do not pile up, and without a declared limit there is none', async () => {
  const under = httpUnderTest(async () => jsonAnswer({}), { provider: limited });
  for (let index = 0; index < 10_000; index += 1) under.state.limiters.pathFor(limited, `c${index}`)?.pause(1);
  expect(under.state.limiters.size).toBe(10_001);
  await under.time.advance(61_000);
  await under.time.until(under.clientOf('c1').request({ path: 'x', operation: 'x', schema: anything }));
  expect(under.state.limiters.size).toBe(2);
  expect(under.state.limiters.pathFor(testProvider(), 'c1')).toBeUndefined();
});

function raise(): never {
  throw new TypeError('fetch failed');
}
