import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { FakeBrowser, startForTest } from './http-rig.ts';
import { readSettings } from './settings.ts';
import { type Running, startFailure } from './start.ts';
import { sendWebResponse } from './web/bridge.ts';
import { safeHeaders } from './web/security.ts';

const server = fileURLToPath(new URL('./server.ts', import.meta.url));

let app: Running;
beforeAll(async () => {
  app = await startForTest();
});
afterAll(() => app.close());

/** How the process ends with these settings: its code, and what it says. */
function run(given: Readonly<Record<string, string>>): Promise<readonly [number | null, string]> {
  const env = { ...process.env, DATABASE: ':memory:', PORT: '0', BASE_URL: '', NODE_OPTIONS: '', ...given };
  const child = spawn(process.execPath, ['--conditions=@mca/source', '--no-warnings', server], { env });
  let said = '';
  child.stdout.on('data', (text) => {
    said += text;
    // It runs, and should not.
    child.kill('SIGKILL');
  });
  child.stderr.on('data', (text) => {
    said += text;
  });
  return new Promise((done) => child.on('close', (code) => done([code, said])));
}

test('settings that make no sense are told in one line', async () => {
  const wrong = {
    PORT: ['99999', '-1', '1.5'],
    MCA_KEY: ['short', 'x'.repeat(44)],
    TIME_ZONE: ['Foo/Bar'],
    NAVIDROME_NETWORKS: ['garbage/99', '10.0.0.0/99'],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      const given = { DATABASE: ':memory:', NAVIDROME: '1', [name]: value };
      expect(() => readSettings(given), `${name}=${value}`).toThrow(new RegExp(`^${name} has to [^\n]+$`));
    }
  }
  // Secrets are not repeated.
  expect(await run({ MCA_KEY: 'short-secret' })).toEqual([
    1,
    expect.stringMatching(/^MCA_KEY has to (?!.*short).*\n$/),
  ]);
}, 30_000);

test('so is a port that is in use, and a database that cannot be opened', async () => {
  const other = createServer();
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
  const { port } = other.address() as AddressInfo;
  const key = Buffer.alloc(32, 7).toString('base64');
  try {
    expect(await run({ PORT: String(port) })).toEqual([
      1,
      `Port ${port} is in use: end what listens there, or set PORT to another one.\n`,
    ]);
    for (const DATABASE of ['/nowhere/at/all.db', `postgres://ana:hunter2@127.0.0.1:${port}/app`]) {
      const [code, said] = await run({ DATABASE, MCA_KEY: key });
      expect([code, said.split('\n')]).toEqual([1, [expect.stringMatching(/./), '']]);
      expect(said).not.toMatch(/ at |node:|hunter2/);
    }
  } finally {
    other.closeAllConnections();
    other.close();
  }
  expect(startFailure(undefined)).toBe('It does not start.');
  expect(startFailure(Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED');
}, 60_000);

test('over https browsers are told to stay there; over http they are not', async () => {
  const header = (await fetch(app.url)).headers;
  expect(header.get('strict-transport-security')).toBeNull();
  const set = vi.fn();
  safeHeaders('https://localhost:8443')({} as never, { set } as never, () => {});
  expect(set.mock.calls[0]?.[0]).not.toHaveProperty('strict-transport-security');
  const own = await startForTest({ BASE_URL: 'https://history.example.org', DEMO: '0' });
  try {
    const port = Number(/:(\d+)$/.exec(own.listening)?.[1]);
    const answer = await ask(port, 'GET', '/', { host: 'history.example.org' });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['strict-transport-security']).toBe('max-age=31536000');
  } finally {
    await own.close();
  }
});

test('methods that nothing answers to are 405', async () => {
  const who = new FakeBrowser(app.url);
  const csrf = await who.csrf();
  const port = Number(new URL(app.url).port);
  const headers = { host: new URL(app.url).host, origin: app.url, cookie: who.cookie, 'x-csrf-token': csrf };
  for (const method of ['TRACE', 'PUT', 'DELETE']) {
    const { statusCode, headers: answered } = await ask(port, method, '/connect/songbook', headers);
    expect([statusCode, answered.allow], method).toEqual([405, 'GET, HEAD, POST']);
  }
});

test('an answer with several cookies is handed on with all of them, beside what was set before', async () => {
  const set: [string, string][] = [];
  const response = {
    status: () => response,
    set: (name: string, value: string) => void set.push([name, value]),
    append: (name: string, value: string) => void set.push([name, value]),
    send() {},
  };
  const headers = new Headers({ 'x-a': '1' });
  for (const cookie of ['a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT', 'b=2']) headers.append('set-cookie', cookie);
  await sendWebResponse(new Response(null, { headers }), response as never);
  expect(set).toEqual([
    ['x-a', '1'],
    ['set-cookie', 'a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT'],
    ['set-cookie', 'b=2'],
  ]);
});

function ask(port: number, method: string, path: string, headers: object): Promise<IncomingMessage> {
  return new Promise((done, fail) => {
    const request = send({ host: '127.0.0.1', port, method, path, headers: { ...headers } }, (answer) => {
      answer.resume();
      done(answer);
    });
    request.once('error', fail).end();
  });
}
