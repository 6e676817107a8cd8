import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { anything, httpUnderTest, jsonAnswer, recordingFetch, testProvider } from '../../../test/support/http-setup.ts';
import { recordFigure } from '../../../test/support/reliability.ts';
import { McaError } from '../../contracts/errors.ts';
import type { Authoriser, VersionedCredentials } from './setup.ts';

const credentials = (version: number): VersionedCredentials => ({
  version,
  token: `token-${version}`,
  fields: {},
  account: 'ana',
});

/** A vault that has one newer token to give. */
function fakeAuthoriser(): Authoriser & { readonly renewals: number[] } {
  const renewals: number[] = [];
  return {
    renewals,
    current: async () => credentials(1 + renewals.length),
    renew: async (refused) => {
      renewals.push(refused.version);
      return credentials(refused.version + 1);
    },
    sign: ({ headers, form }, { token }) => {
      headers.set('authorization', `Bearer ${token}`);
      form?.set('signed', 'yes');
    },
  };
}

describe('an HTTP client', () => {
  test('joins paths to the base URL, adds parameters, and answers what the schema makes of the body', async () => {
    const { fetch, requests } = recordingFetch(() => jsonAnswer({ id: 7 }));
    const { client, time, events } = httpUnderTest(fetch);
    const answer = await time.until(
      client.request({
        path: 'me/tracks',
        operation: 'tracks',
        query: { limit: 50, after: undefined, q: 'a b&c' },
        schema: {
          '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: { wrapped: value } }) },
        },
      }),
    );
    expect(answer).toEqual({ wrapped: { id: 7 } });
    expect(requests[0]?.url).toBe('https://api.test.example/v1/me/tracks?limit=50&q=a+b%26c');
    expect(requests[0]?.method).toBe('GET');
    expect(events).toEqual([
      expect.objectContaining({ type: 'request', operation: 'tracks', status: 200, attempt: 1, bytes: 8 }),
    ]);
  });

  test('sends forms and JSON as what they are, and lets the strategy sign them', async () => {
    const { fetch, requests } = recordingFetch(() => jsonAnswer(undefined, 204));
    const { client, time } = httpUnderTest(fetch, { authoriser: fakeAuthoriser() });
    const post = { method: 'POST', path: 'x', operation: 'write', schema: anything } as const;
    expect(await time.until(client.request({ ...post, form: { a: '1 2' } }))).toBeUndefined();
    expect(await time.until(client.request({ ...post, json: { a: [1] } }))).toBeUndefined();
    expect(await requests[0]?.text()).toBe('a=1+2&signed=yes');
    expect(requests[0]?.headers.get('content-type')).toBe('application/x-www-form-urlencoded');
    expect(requests[0]?.headers.get('authorization')).toBe('Bearer token-1');
    expect(await requests[1]?.text()).toBe('{"a":[1]}');
    expect(requests[1]?.headers.get('content-type')).toBe('application/json');
  });

  test('renews credentials once, tries once more, and gives up with auth_expired', async () => {
    const authoriser = fakeAuthoriser();
    const works = recordingFetch((request) =>
      request.headers.get('authorization') === 'Bearer token-2' ? jsonAnswer(1) : jsonAnswer({}, 401),
    );
    const first = httpUnderTest(works.fetch, { authoriser });
    expect(await first.time.until(first.get())).toBe(1);
    expect(works.requests).toHaveLength(2);

    const refuses = recordingFetch(() => jsonAnswer({}, 401));
    const second = httpUnderTest(refuses.fetch, { authoriser: fakeAuthoriser() });
    await expect(second.time.until(second.get())).rejects.toMatchObject({ code: 'auth_expired', retryable: false });
    expect(refuses.requests).toHaveLength(2);
  });

  test('renews credentials once per call, not once per attempt', async () => {
    const statuses = [401, 500, 401, 200];
    const { fetch, requests } = recordingFetch((_request, count) => jsonAnswer({}, statuses[count - 1] ?? 200));
    const authoriser = fakeAuthoriser();
    const { get, time } = httpUnderTest(fetch, { authoriser });
    await expect(time.until(get())).rejects.toMatchObject({ code: 'auth_expired' });
    expect(requests).toHaveLength(3);
    expect(authoriser.renewals).toEqual([1]);
  });

  test('what the vault throws is final and passed on as it is', async () => {
    const { fetch, requests } = recordingFetch(() => jsonAnswer({}));
    const failure = new McaError({ code: 'upstream', reason: 'refresh_failed', message: 'The vault failed.' });
    let asked = 0;
    const authoriser: Authoriser = {
      current: async () => {
        asked += 1;
        throw failure;
      },
      renew: async () => credentials(1),
      sign: undefined,
    };
    const { get, time } = httpUnderTest(fetch, { authoriser });
    await expect(time.until(get())).rejects.toMatchObject({ code: 'upstream', reason: 'refresh_failed' });
    expect(requests).toHaveLength(0);
    expect(asked).toBe(1);
  });

  test('reports what a schema refuses by its place, never by its value', async () => {
    const { fetch } = recordingFetch(() => jsonAnswer({ items: [{ title: 'Secret Film' }] }));
    const { client, time } = httpUnderTest(fetch);
    const issues = [
      { message: 'expected a number, got "Secret Film"', path: ['items', 0, { key: 'title' }] },
      { message: 'x', path: ['what the user typed'] },
    ];
    const work = client.request({
      path: 'x',
      operation: 'films',
      schema: { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues }) } },
    });
    const error = await time.until(work).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'invalid_data', reason: 'unexpected_answer', provider: 'test-service' });
    expect(String(error)).toContain('items.0.title, …');
    expect(String(error)).not.toContain('Secret');
  });

  test('what a provider throws is a plugin error without its text', async () => {
    const { fetch, requests } = recordingFetch(() => jsonAnswer({}));
    const secret = (): never => {
      throw new RangeError('canary-secret');
    };
    const sign = { ...fakeAuthoriser(), sign: secret };
    const schema = { '~standard': { version: 1, vendor: 'test', validate: secret } } as const;
    for (const [authoriser, more] of [
      [sign, {}],
      [undefined, { schema }],
      [undefined, { method: 'POST', json: 1n }],
    ] as const) {
      const { get, time } = httpUnderTest(fetch, { authoriser });
      const error = await time.until(get('x', more)).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'plugin', reason: 'provider_threw', provider: 'test-service' });
      expect(inspect(error)).not.toContain('canary');
      expect((error as Error).cause).toBeUndefined();
    }
    expect(requests).toHaveLength(1);
  });

  test('goes by the error table of the provider first, then by HTTP', async () => {
    const provider = testProvider({
      errors: [
        { field: { path: 'error', equals: [29] }, code: 'rate_limit', retryAfterMs: 90_000 },
        { field: { path: 'error.kind', equals: ['gone'] }, code: 'not_found', reason: 'gone', hint: 'Look elsewhere.' },
        { status: [403, 420], text: 'SLOW down', code: 'rate_limit', retryAfterMs: 70_000 },
        { status: 400, code: 'permission_denied', reason: 'no_scope' },
      ],
    });
    const table: readonly [Response, object][] = [
      [jsonAnswer({ error: 29 }), { code: 'rate_limit', retryAfterMs: 90_000 }],
      [jsonAnswer({ error: '29' }), { code: 'rate_limit' }],
      [jsonAnswer({ error: { kind: 'gone' } }, 410), { code: 'not_found', reason: 'gone', hint: 'Look elsewhere.' }],
      [new Response('Please slow DOWN', { status: 403 }), { code: 'rate_limit', retryAfterMs: 70_000 }],
      [jsonAnswer({}, 403), { code: 'permission_denied', reason: undefined }],
      [jsonAnswer({}, 400), { code: 'permission_denied', reason: 'no_scope' }],
      [jsonAnswer({}, 404), { code: 'not_found' }],
      [jsonAnswer({}, 422), { code: 'invalid_data', retryable: false }],
      [jsonAnswer({}, 501), { code: 'upstream', retryable: true }],
      [jsonAnswer({}, 401), { code: 'auth_expired' }],
    ];
    for (const [answer, expected] of table) {
      const { get, time } = httpUnderTest(async () => answer.clone(), { provider });
      await expect(time.until(get()), `${answer.status}`).rejects.toMatchObject({
        ...expected,
        provider: 'test-service',
      });
    }
  });

  test('tries HTML from a proxy again and then says so', async () => {
    const { fetch, requests } = recordingFetch((_request, count) =>
      count < 3 ? new Response('<html>Bad gateway</html>') : jsonAnswer('fine'),
    );
    const { get, time, events } = httpUnderTest(fetch);
    expect(await time.until(get())).toBe('fine');
    expect(requests).toHaveLength(3);
    expect(events.filter(({ type }) => type === 'request_waiting')).toHaveLength(2);

    const { fetch: always } = recordingFetch(() => new Response('<html>'));
    const other = httpUnderTest(always);
    await expect(other.time.until(other.get())).rejects.toMatchObject({ code: 'upstream', reason: 'not_json' });
  });

  test('of a server whose address a user typed in, says what to look at', async () => {
    const broken = () => {
      throw new TypeError('fetch failed');
    };
    const empty = {
      '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'x' }] }) },
    } as const;
    for (const [answer, reason, schema] of [
      [() => new Response('<html>Log in</html>'), 'not_json', anything],
      [broken, 'network', anything],
      [() => jsonAnswer({ hello: 'world' }), 'unexpected_answer', empty],
    ] as const) {
      const { fetch } = recordingFetch(answer);
      const theirs = httpUnderTest(fetch, { guardedFetch: fetch });
      await expect(theirs.time.until(theirs.get('things', { schema }))).rejects.toMatchObject({
        reason,
        hint: expect.stringContaining('Check the address'),
      });
      const ours = httpUnderTest(fetch);
      await expect(ours.time.until(ours.get('things', { schema }))).rejects.toMatchObject({ reason, hint: undefined });
    }
  });

  test('R-031 a write whose answer is lost is not sent again, unless the service drops repeats', async () => {
    const lost: readonly [string, () => Response][] = [
      ['connection lost', () => raise()],
      ['500', () => jsonAnswer({}, 500)],
      ['503 with Retry-After', () => jsonAnswer({}, 503, { 'retry-after': '1' })],
      ['429', () => jsonAnswer({}, 429, { 'retry-after': '1' })],
      ['HTML', () => new Response('<html>')],
    ];
    for (const [name, answer] of lost) {
      const { fetch, requests } = recordingFetch(answer);
      const { get, time } = httpUnderTest(fetch);
      const error = await time.until(get('x', { method: 'POST', json: {} })).catch((caught: unknown) => caught);
      expect(error, name).toMatchObject({ retryable: name === '429' });
      expect(requests, name).toHaveLength(1);
      for (const more of [{ method: 'POST', idempotent: true }, { method: 'PUT' }, { method: 'DELETE' }] as const) {
        const again = recordingFetch(answer);
        const repeating = httpUnderTest(again.fetch);
        await expect(repeating.time.until(repeating.get('x', more))).rejects.toThrow();
        expect(again.requests, `${name} ${more.method}`).toHaveLength(3);
      }
    }
    recordFigure('R-031', `0 automatic resends of a POST over ${lost.length} kinds of lost answers`);
  });

  test('a call whose signal fired ends within 250 ms, wherever it waits, and leaves no timer', async () => {
    const waits: readonly [string, () => ReturnType<typeof httpUnderTest>][] = [
      ['for an answer', () => httpUnderTest(() => new Promise(() => {}))],
      ['for a retry', () => httpUnderTest(async () => jsonAnswer({}, 429, { 'retry-after': '30' }))],
      [
        'for a limiter',
        () => {
          const limits = [{ scope: 'app', requests: 1, perMs: 50_000 }] as const;
          const under = httpUnderTest(async () => jsonAnswer({}), { provider: testProvider({ limits }) });
          under.get().catch(() => {});
          return under;
        },
      ],
    ];
    for (const [name, make] of waits) {
      const { get, time, controller } = make();
      const work = get();
      work.catch(() => {});
      await time.advance(10_000);
      controller.abort();
      const before = time.clock.now();
      await expect(time.until(work), name).rejects.toMatchObject({ code: 'cancelled' });
      expect(time.clock.now() - before, name).toBeLessThanOrEqual(250);
      await time.advance(0);
      expect(time.pending, name).toBe(0);
    }
  });
});

function raise(): never {
  throw Object.assign(new TypeError('fetch failed'), {
    cause: Object.assign(new Error('lost'), { code: 'ECONNRESET' }),
  });
}
