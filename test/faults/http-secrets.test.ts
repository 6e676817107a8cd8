import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import type { Authoriser } from '../../src/runtime/http/setup.ts';
import { type FetchFault, faultFetch } from '../../src/testing/fault-fetch.ts';
import { httpUnderTest, jsonAnswer, testProvider } from '../support/http-setup.ts';
import { recordFigure } from '../support/reliability.ts';

const CANARY = 'canary-5f2c';

const authoriser: Authoriser = {
  current: async () => ({ version: 1, token: CANARY, fields: { password: CANARY }, account: 'ana' }),
  renew: async () => ({ version: 2, token: CANARY, fields: { password: CANARY }, account: 'ana' }),
  sign({ url, headers, form }, { token = '' }) {
    url.searchParams.set('api_key', token);
    headers.set('authorization', `Bearer ${token}`);
    headers.set('x-api-key', token);
    form?.set('sk', token);
  },
};

/** Every way in which an error, or what hangs on it, gets into logs. */
function* printed(error: unknown): Iterable<string> {
  for (let each = error; each !== undefined && each !== null; each = (each as Error).cause) {
    yield String(each);
    yield inspect(each, { depth: 10, showHidden: true, getters: true });
    yield JSON.stringify(each);
    yield inspect(structuredClone({ error: { ...(each as object) }, stack: (each as Error).stack }), { depth: 10 });
  }
}

test('R-020 no secret of a request is in any error, event or log over 400 injected failures', async () => {
  let failures = 0;
  const codes = new Set<string>();
  const lines: string[] = [];
  const faults: Record<FetchFault, number> = {
    network_error: 0.25,
    lost_answer: 0.2,
    rate_limited: 0.1,
    server_error: 0.15,
    html: 0.1,
    truncated: 0.1,
    slow: 0.05,
  };
  const hostile = [
    () => jsonAnswer({ error: `bad token ${CANARY}` }, 401),
    () => jsonAnswer({ error: CANARY }, 403),
    () => jsonAnswer({ error: CANARY }, 404),
    () => jsonAnswer({ error: CANARY }, 422),
    () => new Response(`<html>${CANARY}`, { status: 200 }),
    () => new Response(null, { status: 302, headers: { location: `https://evil.example/?k=${CANARY}` } }),
    () => jsonAnswer({ title: CANARY }),
  ];
  for (let seed = 0; failures < 400; seed += 1) {
    const answer = hostile[seed % hostile.length] ?? (() => jsonAnswer({}));
    const inner = async () => answer();
    const under = httpUnderTest(inner, {
      authoriser,
      provider: testProvider({ errors: [{ status: 422, code: 'invalid_data', reason: 'bad' }] }),
      env: {
        fetch: faultFetch(inner, { seed, faults, slowMs: 0 }),
        logger: {
          debug: (...line) => lines.push(inspect(line)),
          info: (...line) => lines.push(inspect(line)),
          warn: (...line) => lines.push(inspect(line)),
          error: (...line) => lines.push(inspect(line)),
        },
      },
    });
    const more = seed % 3 === 0 ? ({ method: 'POST', form: { a: CANARY } } as const) : {};
    const refusing = {
      '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: CANARY }] }) },
    } as const;
    const error = await under.time.until(
      under.get('x', { ...more, query: { token: CANARY }, schema: refusing }).then(
        () => undefined,
        (caught: unknown) => caught,
      ),
    );
    failures += 1;
    codes.add(`${(error as { code: string }).code} ${(error as { reason?: string }).reason}`);
    for (const text of printed(error)) expect(text).not.toContain(CANARY);
    for (const event of under.events) expect(JSON.stringify(event)).not.toContain(CANARY);
  }
  expect(lines.join()).not.toContain(CANARY);
  expect(codes.size).toBeGreaterThanOrEqual(9);
  recordFigure('R-020', `${failures} failures of ${codes.size} kinds through the HTTP client: 0 hits`);
});

test('R-020 the search finds a planted secret', () => {
  const leak = Object.assign(new Error('failed'), { request: { headers: { authorization: CANARY } } });
  expect([...printed(leak)].some((text) => text.includes(CANARY))).toBe(true);
  expect([...printed(new Error('x', { cause: leak }))].some((text) => text.includes(CANARY))).toBe(true);
});
