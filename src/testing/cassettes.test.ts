import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { cassette } from './cassettes.ts';
import { fakeProvider } from './fake-provider.ts';
import { FakeService } from './fake-service.ts';
import { providerContext } from './provider-context.ts';

const NOW = Date.UTC(2026, 0, 10);
const TOKEN = 'very-secret-token-1';

let folder: string;
let path: string;
beforeEach(() => {
  vi.stubEnv('CI', '');
  folder = mkdtempSync(join(tmpdir(), 'mca-cassette-'));
  path = join(folder, 'tapes/tape.json');
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const answering =
  (body: BodyInit | null, init: ResponseInit = {}) =>
  async () =>
    new Response(body, init);
const jsonOf = (value: unknown) =>
  answering(JSON.stringify(value), { headers: { 'content-type': 'application/json' } });
const file = (): string => readFileSync(path, 'utf8');

async function record(
  service: typeof globalThis.fetch,
  requests: readonly Request[],
  scrub?: Parameters<typeof cassette>[1]['scrub'],
): Promise<void> {
  const tape = cassette(path, { mode: 'record', fetch: service, scrub });
  for (const request of requests) await tape.fetch(request);
  await tape.save();
}

describe('record and replay', () => {
  test('a walk of a provider, recorded, is the same walk without the service', async () => {
    const service = new FakeService({ now: () => NOW, maxLimit: 5 });
    for (let play = 0; play < 12; play += 1)
      service.add('ada', { id: `id-${play}`, playedAt: NOW - 86_400_000 + play * 60_000, title: `Song ${play}` });
    const provider = fakeProvider({ baseUrl: 'https://service.test/v1' });
    const [strategy] = provider.auth;
    const sign = strategy && 'sign' in strategy ? strategy.sign : undefined;

    async function walk(fetch: typeof globalThis.fetch): Promise<string[]> {
      const context = providerContext({ provider, fetch, now: NOW, sign, credentials: { fields: { token: TOKEN } } });
      const titles: string[] = [];
      for (let cursor: string | undefined; ; ) {
        const request = { cursor, since: undefined, until: undefined, highWater: undefined, limit: 5 };
        const page = await provider.capabilities.history.fetchPage(context, request);
        titles.push(...page.items.map(({ title }) => title));
        if (!page.hasMore) return titles;
        cursor = page.cursor;
      }
    }
    const recording = cassette(path, { mode: 'auto', fetch: service.fetch });
    const told = await walk(recording.fetch);
    await recording.save();
    expect(told).toHaveLength(12);
    expect(service.ledger).toHaveLength(3);

    const replaying = cassette(pathToFileURL(path), { mode: 'auto', fetch: service.fetch });
    expect(await walk(replaying.fetch)).toEqual(told);
    expect(replaying.left).toEqual([]);
    expect(service.ledger).toHaveLength(3);
    expect(file()).not.toContain(TOKEN);
  });

  test('a service that takes its time is recorded once, although the clock of the context is a fake one', async () => {
    let asked = 0;
    const slow = async () => {
      asked += 1;
      for (let turn = 0; turn < 200; turn += 1) await new Promise((wake) => setImmediate(wake));
      return Response.json({ id: 'ada', name: 'Ada' });
    };
    const tape = cassette(path, { mode: 'record', fetch: slow });
    const provider = fakeProvider({ baseUrl: 'https://service.test/v1' });
    const context = providerContext({ provider, fetch: tape.fetch, now: NOW });
    expect(await provider.capabilities.sessionCheck.check(context)).toMatchObject({ account: 'ada' });
    expect(asked).toBe(1);
  });

  test('status, chosen headers, JSON, text, bytes and empty bodies come back as they were', async () => {
    const bytes = Uint8Array.of(0, 255, 128, 7);
    const answers: Record<string, Response> = {
      '/json': Response.json(
        { a: [1, 'ü'] },
        { headers: { 'retry-after': '7', 'x-ratelimit-remaining': '0', server: 'x' } },
      ),
      '/long': new Response('{"id":12345678901234567890}', { headers: { 'content-type': 'application/json' } }),
      '/html': new Response('<p>no</p>', { status: 502, headers: { 'content-type': 'text/html' } }),
      '/bytes': new Response(bytes),
      '/none': new Response(null, { status: 204 }),
    };
    const urls = Object.keys(answers).map((name) => `https://a.test${name}`);
    await record(
      async (input) => answers[new URL((input as Request).url).pathname] as Response,
      urls.map((url) => new Request(url)),
    );
    const { fetch } = cassette(path, { mode: 'replay' });
    const json = await fetch('https://a.test/json');
    expect(await json.json()).toEqual({ a: [1, 'ü'] });
    expect(Object.fromEntries(json.headers)).toEqual({
      'content-type': 'application/json',
      'retry-after': '7',
      'x-ratelimit-remaining': '0',
    });
    expect(await (await fetch('https://a.test/long')).text()).toBe('{"id":12345678901234567890}');
    const html = await fetch('https://a.test/html');
    expect([html.status, await html.text()]).toEqual([502, '<p>no</p>']);
    expect(await (await fetch('https://a.test/bytes')).bytes()).toEqual(bytes);
    expect((await fetch('https://a.test/none')).status).toBe(204);
  });

  test('equal requests are answered in the order they were recorded, whatever the order of their parameters', async () => {
    let count = 0;
    const next = async () => {
      count += 1;
      return Response.json({ count });
    };
    await record(next, [new Request('https://a.test/x?b=2&a=1'), new Request('https://a.test/x?b=2&a=1')]);
    const { fetch } = cassette(path, { mode: 'replay' });
    expect(await (await fetch('https://other.test/x?a=1&b=2')).json()).toEqual({ count: 1 });
    expect(await (await fetch('https://other.test/x?a=1&b=2')).json()).toEqual({ count: 2 });
  });

  test('what nobody recorded names the request and what is left, and is not tried again', async () => {
    await record(jsonOf({}), [new Request('https://a.test/plays?page=1'), new Request('https://a.test/me')]);
    const tape = cassette(path, { mode: 'replay' });
    await expect(tape.fetch('https://a.test/plays?page=2&access_token=abcdefgh12')).rejects.toMatchObject({
      code: 'configuration',
      reason: 'cassette_mismatch',
      retryable: false,
      message:
        'The cassette has no answer to GET /plays?access_token=[redacted]&page=2. Left are: GET /plays?page=1, GET /me.',
    });
    await expect(tape.fetch('https://a.test/me', { method: 'POST' })).rejects.toMatchObject({
      reason: 'cassette_mismatch',
    });
    await tape.fetch('https://a.test/me');
    expect(tape.left).toEqual(['GET /plays?page=1']);
    await expect(tape.fetch('https://a.test/me')).rejects.toMatchObject({ reason: 'cassette_mismatch' });
  });

  test('without a file: replay refuses, and so does auto where CI is set', async () => {
    let asked = 0;
    const service = async () => {
      asked += 1;
      return Response.json({ asked });
    };
    await expect(cassette(path, { mode: 'replay' }).fetch('https://a.test/')).rejects.toMatchObject({
      reason: 'cassette_missing',
    });
    vi.stubEnv('CI', 'true');
    const tape = cassette(path, { mode: 'auto', fetch: service });
    await expect(tape.fetch('https://a.test/')).rejects.toMatchObject({ reason: 'cassette_missing' });
    vi.stubEnv('CI', '');
    await cassette(path, { mode: 'auto', fetch: service }).fetch('https://a.test/');
    expect(asked).toBe(1);
  });

  test('an aborted request is not answered', async () => {
    await record(jsonOf({}), [new Request('https://a.test/')]);
    const tape = cassette(path, { mode: 'replay' });
    await expect(tape.fetch('https://a.test/', { signal: AbortSignal.abort() })).rejects.toThrow();
    expect((await tape.fetch('https://a.test/')).status).toBe(200);
  });
});

describe('secrets', () => {
  const secretRequest = (url: string, init: RequestInit = {}) =>
    new Request(url, {
      ...init,
      headers: { authorization: `Bearer ${TOKEN}`, cookie: 'sid=abcdefgh1234', ...init.headers },
    });

  test('headers, parameters and fields that mean secrets stay out, wherever their values stand', async () => {
    const answer = {
      access_token: 'fresh-access-token',
      token_type: 'Bearer',
      user: { session_key: 'sk-abcdefgh', name: 'Ana' },
      next: `https://a.test/plays?api_key=key-12345678&page=2`,
      echo: `you sent ${TOKEN}`,
      title: 'Secret: the story of a bearer',
      code: 200,
    };
    await record(jsonOf(answer), [
      secretRequest('https://a.test/plays?api_key=key-12345678&limit=50', {
        method: 'POST',
        body: 'refresh_token=the-old-refresh-1',
      }),
    ]);
    for (const secret of [
      TOKEN,
      'abcdefgh1234',
      'fresh-access-token',
      'sk-abcdefgh',
      'key-12345678',
      'the-old-refresh-1',
    ])
      expect(file()).not.toContain(secret);
    const [exchange] = (JSON.parse(file()) as { exchanges: { query: string[]; json: typeof answer }[] }).exchanges;
    expect(exchange?.query).toEqual(['api_key=[redacted]', 'limit=50']);
    expect(exchange?.json).toMatchObject({
      token_type: 'Bearer',
      title: answer.title,
      code: 200,
      echo: 'you sent [redacted]',
    });
  });

  test('a replay with other credentials finds its answers', async () => {
    await record(jsonOf({ ok: 1 }), [secretRequest('https://a.test/me?api_key=key-12345678&user=anabel')], {
      values: ['anabel'],
    });
    expect(file()).not.toContain('anabel');
    const { fetch } = cassette(path, { mode: 'replay', scrub: { values: ['zoe-marie'] } });
    expect((await fetch('https://a.test/me?api_key=none&user=zoe-marie')).status).toBe(200);
  });

  test('names of the author’s own; and harmless ones that sound like secrets', async () => {
    const answer = { pin: 'pin-of-ana', next_page_token: 'page-token-2' };
    await record(jsonOf(answer), [new Request('https://a.test/x?pageToken=page-token-1')], {
      names: ['pin'],
      keep: ['next_page_token', 'pageToken'],
    });
    expect(file()).not.toContain('pin-of-ana');
    expect(file()).toContain('page-token-2');
    expect(file()).toContain('pageToken=page-token-1');
  });

  test.each([
    ['a binary body', new Uint8Array([0, 255, ...new TextEncoder().encode(TOKEN)])],
    ['Base64 that holds more than the secret', JSON.stringify({ blob: btoa(`ana:${TOKEN}:x`) })],
    ['the name of a field', JSON.stringify({ [TOKEN]: 1 })],
  ])('a secret in %s cannot be taken out: nothing is written', async (_, body) => {
    const headers = { 'content-type': 'application/json' };
    const saving = record(answering(body, { headers }), [secretRequest('https://a.test/')]);
    await expect(saving).rejects.toMatchObject({ code: 'configuration', reason: 'secret_in_cassette' });
    await expect(saving).rejects.not.toMatchObject({ message: expect.stringContaining(TOKEN) });
    expect(existsSync(path)).toBe(false);
  });

  test('a secret met in the last exchange goes out of the first, too', async () => {
    const requests = [new Request('https://a.test/one'), secretRequest('https://a.test/two')];
    await record(jsonOf({ text: `hello ${TOKEN}` }), requests);
    expect(file()).not.toContain(TOKEN);
  });

  test('a value that is too short to be told apart is refused at once', () => {
    expect(() => cassette(path, { mode: 'record', scrub: { values: ['ab'] } })).toThrow(/fewer than 4/);
  });
});
