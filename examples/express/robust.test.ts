import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { type ClientRequest, createServer, type IncomingMessage, Server, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import express from 'express';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { connectionId, exportOf, FakeBrowser, imported, startForTest } from './http-rig.ts';
import { readSettings } from './settings.ts';
import { greeting, type Running } from './start.ts';
import { hurry } from './web/body.ts';
import { Sessions } from './web/session.ts';

const KEY = randomBytes(32).toString('base64');

let app: Running;
let browser: FakeBrowser;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mca-robust-test-'));
  vi.stubEnv('TMPDIR', folder);
  app = await startForTest({ UPLOAD_LIMIT_MB: '1', MCA_KEY: KEY });
});
afterAll(async () => {
  await app.close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  browser = new FakeBrowser(app.url);
  await browser.get('/');
});

/** What is there of uploads. */
const uploads = (): readonly string[] => readdirSync(folder).flatMap((own) => readdirSync(join(folder, own)));
const field = (name: string, value: string): string =>
  `--x\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const FILE = '--x\r\ncontent-disposition: form-data; name="file"; filename="NetflixViewingHistory.csv"\r\n\r\n';

interface OpenUpload {
  readonly request: ClientRequest;
  readonly status: Promise<number>;
}

/** An upload whose pieces the test sends when it likes. */
function openUpload(who: FakeBrowser, begin: string, to: Running = app): OpenUpload {
  const request = send(`${to.url}/import`, {
    method: 'POST',
    headers: { cookie: who.cookie, origin: to.url, 'content-type': 'multipart/form-data; boundary=x' },
  });
  const answer = Promise.withResolvers<IncomingMessage>();
  request.on('response', answer.resolve).on('error', answer.reject).write(begin);
  const status = answer.promise.then((message) => {
    message.resume();
    return message.statusCode ?? 0;
  });
  status.catch(() => {});
  return { request, status };
}

describe('uploads', () => {
  test('erasing ends an upload that is under way, and nothing is imported afterwards', async () => {
    const { request, status } = openUpload(browser, `${field('csrf', await browser.csrf()) + FILE}Title,Date\n`);
    request.on('error', () => {});
    await expect.poll(uploads).toHaveLength(1);
    const old = browser.cookie;
    expect((await browser.post('/erase', { sure: 'yes' })).status).toBe(200);
    expect(uploads()).toEqual([]);
    request.end(`"Blue Door","2024-05-01"\r\n--x--\r\n`);
    expect(await status.catch(() => 409)).toBe(409);
    await pause(50);
    const rows = app.database?.prepare('SELECT count(*) AS n FROM mca_users').get();
    expect(rows?.n).toBe(0);

    // Nor does a request that was on its way bring the user back.
    browser.cookie = old;
    expect((await browser.upload(exportOf('Blue Door'), 'NetflixViewingHistory.csv')).status).toBe(409);
    expect((await browser.post('/import/bundled')).status).toBe(409);
  });

  test('a second file is refused before it is sent; after a refusal there is room again', async () => {
    const csrf = await browser.csrf();
    const first = openUpload(browser, field('csrf', csrf) + FILE);
    await expect.poll(uploads).toHaveLength(1);
    const second = openUpload(browser, field('csrf', csrf) + FILE);
    second.request.on('error', () => {});
    expect(await second.status).toBe(409);
    second.request.destroy();
    first.request.on('error', () => {}).destroy();
    await expect.poll(uploads).toEqual([]);
    await browser.upload(exportOf('Blue Door'), 'NetflixViewingHistory.csv', { dateOrder: 'YMD' });
    expect(await imported(browser)).toContain('2 new');
  });

  test('nothing for a while ends an upload; slow is no reason', async () => {
    const own = await startForTest({ DEMO: '0' }, [], 0, { uploadIdleMs: 1_000 });
    try {
      const who = new FakeBrowser(own.url);
      await who.get('/');
      const csrf = await who.csrf();
      const slow = openUpload(who, field('dateOrder', 'YMD') + field('csrf', csrf) + FILE, own);
      for (const line of ['Title,Date\n', '"Blue Door","2024-05-01"\n', '"Sand Hill","2024-05-17"', '\r\n--x--\r\n']) {
        await pause(300);
        slow.request.write(line);
      }
      slow.request.end();
      expect(await slow.status).toBe(303);
      expect(await imported(who)).toContain('2 new');

      const idle = openUpload(who, field('csrf', csrf) + FILE, own);
      idle.request.on('error', () => {});
      expect(await idle.status).toBe(408);
      expect(uploads()).toEqual([]);
      await expect.poll(() => idle.request.socket?.destroyed).toBe(true);
    } finally {
      await own.close();
    }
  });

  test('Node does not cut uploads off, but late headers', async () => {
    const listen = vi.spyOn(Server.prototype, 'listen');
    const own = await startForTest({ DEMO: '0' });
    try {
      expect(listen.mock.contexts[0]).toMatchObject({ requestTimeout: 0, headersTimeout: 60_000 });
    } finally {
      listen.mockRestore();
      await own.close();
    }
  });

  test.each([
    ['many', Array.from({ length: 11 }, (_, index) => field(`f${index}`, '')).join('')],
    ['long', field('dateOrder', 'x'.repeat(9_000))],
    ['long together', Array.from({ length: 9 }, (_, index) => field(`f${index}`, 'x'.repeat(999))).join('')],
  ])('fields before the file may not be %s', async (_name, fields) => {
    const { request, status } = openUpload(browser, field('csrf', await browser.csrf()) + fields);
    request.on('error', () => {});
    expect(await status).toBe(413);
    request.destroy();
  });

  test('a wrong token is refused at once', async () => {
    const { request, status } = openUpload(browser, `${field('csrf', 'wrong')}--x`);
    request.on('error', () => {});
    expect(await status).toBe(403);
    request.destroy();
  });

  test('closing ends open uploads and removes their folder; what dead processes left goes at the start', async () => {
    const before = readdirSync(folder);
    const prefix = `mca-uploads-${hostname().replace(/[^\w.]/g, '_')}-`;
    const [dead, earlier] = [`${prefix}99999999-x`, `${prefix}${process.pid}-earlier`];
    const alive = `${prefix}${process.ppid}-x`;
    for (const name of [dead, earlier, alive]) mkdirSync(join(folder, name, 'upload-1'), { recursive: true });
    utimesSync(join(folder, earlier), 1, 1);
    const own = await startForTest({ DEMO: '0' });
    expect(existsSync(join(folder, dead))).toBe(false);
    expect(existsSync(join(folder, earlier))).toBe(false);
    expect(existsSync(join(folder, alive))).toBe(true);
    rmSync(join(folder, alive), { recursive: true });

    const who = new FakeBrowser(own.url);
    await who.get('/');
    const { request } = openUpload(who, field('csrf', await who.csrf()) + FILE, own);
    request.on('error', () => {});
    await expect.poll(uploads).toHaveLength(1);
    await own.close();
    expect(readdirSync(folder)).toEqual(before);
  });
});

test('JSON that is too long is refused by its real length', async () => {
  const csrf = await browser.csrf();
  const ask = (body: BodyInit) =>
    fetch(`${app.url}/connect/songbook`, {
      method: 'POST',
      headers: { cookie: browser.cookie, origin: app.url, 'content-type': 'application/json', 'x-csrf-token': csrf },
      body,
      duplex: 'half',
    } as RequestInit);
  const long = JSON.stringify({ fields: { x: 'x'.repeat(200_000) } });
  expect((await ask(long)).status).toBe(413);
  expect((await ask(new Blob([long]).stream())).status).toBe(413);
  expect((await ask('{}')).status).toBe(200);
});

test('a body that is no upload has to come at once', async () => {
  const server = createServer(
    express().use(hurry(100), async (request, response) => {
      for await (const _piece of request);
      response.end();
    }),
  );
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    expect((await fetch(url, { method: 'POST', body: 'at once' })).status).toBe(200);
    const request = send(url, { method: 'POST' });
    const ended = new Promise((done) => request.on('error', done));
    request.write('something');
    expect(await ended).toMatchObject({ code: 'ECONNRESET' });
  } finally {
    server.close();
  }
});

describe('sessions', () => {
  const secret = createHmac('sha256', KEY).update('sessions of the Express example').digest('hex');

  test('a cookie that is a day old is renewed on use, and stays the same user', async () => {
    const cookies: string[] = [];
    const response = { append: (_name: string, value: string) => void cookies.push(value) } as never;
    const old = new Sessions(secret, false, () => Date.now() - 2 * 86_400_000).begin(response);
    browser.cookie = cookies[0]?.split(';')[0] ?? '';
    const [renewed = ''] = (await browser.get('/')).headers.getSetCookie();
    expect(renewed).toContain('Max-Age=2592000');
    expect(new Sessions(secret, false).of(renewed.split(';')[0])).toEqual(old);
    expect(await browser.csrf()).toBe(old.csrf);
    expect((await browser.get('/')).headers.getSetCookie()).toEqual([]);
  });

  test('a copy of a cookie is not good for ever', () => {
    const cookies: string[] = [];
    const response = { append: (_name: string, value: string) => void cookies.push(value) } as never;
    const session = (days: number) => {
      cookies.length = 0;
      new Sessions(secret, false, () => Date.now() - days * 86_400_000).begin(response);
      return new Sessions(secret, false).of(cookies[0]?.split(';')[0]);
    };
    expect(session(30)).toBeDefined();
    expect(session(31)).toBeUndefined();
  });

  test('a cookie without a day is nobody’s, and neither is a made-up day', () => {
    const id = randomBytes(32).toString('base64url');
    const sign = (text: string) => createHmac('sha256', secret).update(`signature ${text}`).digest('base64url');
    const sessions = new Sessions(secret, false);
    const day = Math.floor(Date.now() / 86_400_000);
    expect(sessions.of(`mca-session=${id}.${day}.${sign(`${id}.${day}`)}`)).toBeDefined();
    for (const text of [id, `${id}.`]) expect(sessions.of(`mca-session=${text}.${sign(text)}`), text).toBeUndefined();
    expect(sessions.of(`mca-session=${id}.99999.${sign(id)}`)).toBeUndefined();
  });
});

test('the password of the database is not printed', () => {
  const said = (database: string) =>
    greeting(app, readSettings({ DATABASE: database, MCA_KEY: KEY }))
      .join('\n')
      .replaceAll(app.url, '');
  const shown = said('postgres://ana:hunter2@db.example:5433/app?password=hunter3');
  expect(shown).toContain('db.example:5433/app');
  expect(shown).not.toMatch(/hunter|ana/);
  expect(said('postgres://ana:hunter2@bad host/app')).not.toContain('hunter');
  expect(said('my.db')).toContain('my.db');
});

describe('what is not our fault', () => {
  test('unknown connections, doubled and missing values are answered with 4xx or work', async () => {
    const statusOf = async (path: string) => (await browser.get(path)).status;
    expect(await statusOf('/services/songbook/form?connectionId=nothing')).toBe(404);
    expect(await statusOf('/search?q=a&q=b&type=music&type=video&cursor=&cursor=')).toBe(200);
    expect(await browser.text('/search?q=first&q=second')).toContain('value="first"');
    expect(await statusOf('/history?year=1&year=2')).toBe(200);
    expect((await browser.post('/connections/nothing/disconnect')).status).toBe(404);
    const csrf = await browser.csrf();
    for (const [path, status] of [
      ['/erase', 400],
      ['/items/delete', 303],
      ['/services/songbook/form', 422],
      ['/services/songbook/device-code', 303],
    ] as const) {
      const headers = { cookie: browser.cookie, origin: app.url, 'x-csrf-token': csrf };
      const answer = await fetch(app.url + path, { method: 'POST', headers, redirect: 'manual' });
      expect(answer.status, path).toBe(status);
    }
  });

  test('a service that is down is told as such', async () => {
    const own = await startForTest();
    try {
      const ana = new FakeBrowser(own.url);
      await ana.get('/');
      await own.demo?.close();
      const code = await ana.post('/services/songbook/device-code');
      expect(code.status).toBe(502);
      const page = await code.text();
      expect(page).toContain('The service does not answer');
      expect(page).not.toContain('is our fault');
    } finally {
      await own.close();
    }
  }, 30_000);

  test('erasing goes on without a service that is down, and says which could not be told', async () => {
    const own = await startForTest();
    try {
      const ana = new FakeBrowser(own.url);
      await ana.connect();
      expect(await connectionId(ana)).toBeTruthy();
      await own.demo?.close();
      const erased = await (await ana.post('/erase', { sure: 'yes' })).text();
      expect(erased).toContain('All of it is gone');
      expect(erased).toContain('Could not be told: Songbook (demo).');
    } finally {
      await own.close();
    }
  }, 30_000);
});

describe('a job that is not known any more', () => {
  test('is a page with 404, not a stream', async () => {
    const answer = await browser.get('/jobs/events');
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toContain('text/html');
  });
});
