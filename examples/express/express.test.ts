import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { continueConnect, describeProviders, listConnections, summarise } from '@mca/core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freshSchema, postgresServer } from '../../test/support/postgres.ts';
import { agree, connectionId, exportOf, FakeBrowser, imported, rawGet, startForTest, userOf } from './http-rig.ts';
import { servicesPage } from './pages/services-page.ts';
import { readSettings } from './settings.ts';
import type { Running } from './start.ts';
import { Sessions } from './web/session.ts';

const server = await postgresServer();
const HOSTILE = `<script>alert(1)</script>"'&`;

let app: Running;
let browser: FakeBrowser;
const lines: string[] = [];
beforeAll(async () => {
  app = await startForTest({ UPLOAD_LIMIT_MB: '1' }, lines);
});
afterAll(() => app.close());
/** The file of an app that keeps one. */
const fileOf = ({ database }: Running) => database ?? expect.fail('The app has no SQLite file.');
/** A response that nobody reads. */
const deaf = { append() {} } as never;

beforeEach(async () => {
  browser = new FakeBrowser(app.url);
  await browser.get('/');
});

describe('requests of others', () => {
  test('a form without the token of the session changes nothing', async () => {
    const other = new FakeBrowser(app.url);
    for (const csrf of ['', 'x', await other.csrf()]) {
      expect((await browser.post('/import/bundled', { csrf })).status).toBe(403);
      expect((await browser.upload(exportOf('Blue Door'), 'NetflixViewingHistory.csv', { csrf })).status).toBe(403);
      expect((await browser.post('/erase', { csrf, sure: 'yes' })).status).toBe(403);
    }
    expect(await browser.text('/import')).not.toContain('data-job');
  });

  test.each(['https://evil.example', 'null', ''])('a form from the origin "%s" changes nothing', async (origin) => {
    const answer = await browser.post('/import/bundled', {}, { origin });
    expect(answer.status).toBe(403);
    expect(await browser.text('/import')).not.toContain('data-job');
  });

  test('scripts of the page need the token, too', async () => {
    const csrf = await browser.csrf();
    const { cookie } = browser;
    const ask = (headers: object) =>
      fetch(`${app.url}/connect/songbook`, {
        method: 'POST',
        headers: {
          cookie,
          origin: app.url,
          'content-type': 'application/json',
          accept: 'application/json',
          ...headers,
        },
        body: '{}',
      });
    expect((await ask({})).status).toBe(403);
    const begun = await ask({ 'x-csrf-token': csrf });
    expect(await begun.json()).toMatchObject({ step: 'redirect' });
  });

  test('another name of this machine is refused; localhost is sent to the address that cookies are for', async () => {
    expect(await rawGet(app.url, { host: 'evil.example' })).toBe(421);
    const host = `localhost:${new URL(app.url).port}`;
    expect(await rawGet(app.url, { host })).toBe(302);
    // It would become `http://127.0.0.1:3000@evil.example`.
    expect(await rawGet(app.url, { host }, '@evil.example')).toBe(400);
  });

  test('a made-up cookie is nobody: a new session begins', async () => {
    browser.cookie = 'mca-session=ana.signature';
    const answer = await browser.get('/');
    expect(answer.headers.getSetCookie()[0]).toMatch(
      /^mca-session=[^;]{80,}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/,
    );
  });

  test('over https cookies are secure, and bound to the host', () => {
    const cookies: string[] = [];
    const response = { append: (_name: string, value: string) => void cookies.push(value) };
    new Sessions('secret', true).begin(response as never);
    expect(cookies[0]).toMatch(/^__Host-mca-session=\S+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+; Secure$/);
  });
});

describe('connecting', () => {
  test('a flow ends in the session it was begun in, and in no other', async () => {
    const begun = await browser.get('/connect/songbook');
    const back = await agree(begun.headers.get('location') ?? '');
    const other = new FakeBrowser(app.url);
    await other.get('/');
    expect((await other.get(back)).headers.get('location')).toMatch(/failed=songbook&because=state_/);
    expect(await other.text('/')).not.toContain('id="connection-');

    // Nor is it good for anything afterwards: it goes through once.
    expect((await browser.get(back)).headers.get('location')).toContain('because=state_unknown');
    expect(await browser.text('/')).not.toContain('id="connection-');

    expect(await browser.connect()).toBe('/?connected=songbook');
    expect(await browser.text('/?connected=songbook')).toContain('id="connection-');
  });

  test('nor without the binding of the session, whoever the user is', async () => {
    await browser.connect();
    const userId = await userOf(app, await connectionId(browser));
    const begun = await browser.get('/connect/songbook');
    const query = new URL(await agree(begun.headers.get('location') ?? '')).searchParams;
    const redirectUri = `${app.url}/connect/songbook/callback`;
    await expect(continueConnect(app.registry, { userId, provider: 'songbook', redirectUri, query })).rejects.toThrow(
      expect.objectContaining({ reason: 'state_mismatch' }),
    );
    const sessions = new Sessions('secret', false);
    const [one, two] = [sessions.begin(deaf), sessions.begin(deaf)];
    expect(new Set([one, two].flatMap((session) => Object.values(session))).size).toBe(6);
  });

  test('saying no connects nothing, and is told in words of ours', async () => {
    const begun = await browser.get('/connect/songbook');
    const back = await agree(begun.headers.get('location') ?? '', 'refuse');
    const location = (await browser.get(back)).headers.get('location') ?? '';
    expect(location).toBe('/?failed=songbook&because=access_denied');
    expect(await browser.text(location)).toContain('You said no');
    expect(await browser.text(`/?failed=songbook&because=${encodeURIComponent(HOSTILE)}`)).not.toContain('alert(1)');
  });

  test('a form: a slip is told, what is secret does not come back; the token connects', async () => {
    const path = '/services/songbook/form';
    for (const [token, said] of [
      ['', '&quot;Token&quot; is missing'],
      ['wrong-token', 'does not accept this'],
    ] as const) {
      const slip = await browser.post(path, { token });
      expect(slip.status).toBe(422);
      const page = await slip.text();
      expect(page).toContain(said);
      expect(page).not.toContain('wrong-token');
    }
    const { accessToken = '' } = app.demo?.oauth.grant(['plays']) ?? {};
    const done = await browser.post(path, { token: accessToken });
    expect(done.headers.get('location')).toBe('/?connected=songbook');
    expect(await browser.text('/')).not.toContain(accessToken);
  });

  test('a code: asked for until the user has agreed', async () => {
    const path = '/services/songbook/device-code';
    expect((await browser.post(path)).headers.get('location')).toBe(path);
    const page = await browser.text(path);
    const state = /name="state" value="([^"]+)"/.exec(page)?.[1] ?? '';
    const code = /class="code">([^<]+)</.exec(page)?.[1] ?? '';
    const early = await browser.post(path, { state });
    expect(await early.text()).toContain(code);
    app.demo?.oauth.answerDevice(code, 'approve');
    await expect
      .poll(async () => (await browser.post(path, { state })).headers.get('location'), {
        timeout: 15_000,
        interval: 500,
      })
      .toBe('/?connected=songbook');
    expect(await browser.text(path)).toContain('Get a code');
  });

  test('what cannot be connected is 404, and a page', async () => {
    for (const path of [
      '/connect/nobody',
      '/services/nobody/form',
      '/services/songbook/oauth2x',
      '/services/netflix/form',
    ]) {
      const answer = await fetch(app.url + path, { headers: { accept: 'text/html', cookie: browser.cookie } });
      expect(answer.status, path).toBe(404);
      expect(answer.headers.get('content-type')).toContain('text/html');
    }
  });
});

describe('syncing', () => {
  test('progress comes in order and ends once; afterwards everything is there', async () => {
    await browser.connect();
    const id = await connectionId(browser);
    const sync = await browser.post(`/connections/${id}/sync`);
    expect(sync.headers.get('location')).toBe(`/#connection-${id}`);
    const events = await browser.events();
    expect(events.map((event) => event.id)).toEqual(events.map((_, index) => index + 1));
    expect(events.slice(0, -1).every(({ name }) => name === 'progress')).toBe(true);
    expect(events.at(-1)).toMatchObject({ name: 'done', view: { outcome: 'good' } });
    const done = events.map(({ view }) => view.done);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(events.length).toBeGreaterThan(2);
    const plays = app.demo?.service.plays('ada').length ?? 0;
    expect(plays).toBeGreaterThan(3_000);
    expect(events.at(-1)?.view.text).toBe(`${plays.toLocaleString('en-US')} new. Everything is here.`);
    expect(await browser.text('/history')).toContain(plays.toLocaleString('en-US'));
  });

  test('nobody hears of the sync of somebody else, or starts it', async () => {
    await browser.connect();
    const id = await connectionId(browser);
    await browser.post(`/connections/${id}/sync`);
    const other = new FakeBrowser(app.url);
    expect((await other.get('/jobs/events')).status).toBe(404);
    expect((await other.post(`/connections/${id}/sync`)).status).toBe(404);
    expect((await other.post(`/connections/${id}/disconnect`)).status).toBeGreaterThanOrEqual(400);
    expect((await browser.events()).at(-1)?.view.outcome).toBe('good');
  });

  test('a sync can be stopped, and goes on the next time', async () => {
    const slow = await startForTest({}, [], 40);
    const who = new FakeBrowser(slow.url);
    await who.connect();
    const id = await connectionId(who);
    await who.post(`/connections/${id}/sync`);
    await expect.poll(() => slow.demo?.service.ledger.length ?? 0).toBeGreaterThan(5);
    expect((await who.post(`/connections/${id}/stop`)).headers.get('location')).toBe('/?stopped');
    const stored = (await summarise(slow.registry, { userId: await userOf(slow) })).items;
    expect(stored).toBeGreaterThan(0);
    await who.post(`/connections/${id}/sync`);
    await who.events();
    const plays = slow.demo?.service.plays('ada').length ?? 0;
    expect(stored).toBeLessThan(plays);
    expect((await summarise(slow.registry, { userId: await userOf(slow) })).items).toBe(plays);
    await slow.close();
  });

  test('a consent that ends soon is told before it ends', async () => {
    await browser.connect();
    const [connection] = await listConnections(app.registry, {
      userId: await userOf(app, await connectionId(browser)),
    });
    if (!connection?.authorizationExpiresAt) throw new Error('no end of the consent');
    const at = (daysBefore: number): string =>
      servicesPage({
        session: { userId: '', sessionBinding: '', csrf: '' },
        providers: describeProviders(app.registry),
        connections: [{ connection, job: undefined }],
        ...{ isBusy: false, demoUrl: undefined, said: {} },
        now: new Date(Number(connection.authorizationExpiresAt) - daysBefore * 86_400_000),
      });
    expect(at(30)).not.toContain('Access ends on');
    expect(at(13)).toContain('Access ends on');
    expect(at(13)).toContain(`connectionId=${connection.id}`);
  });

  test('access that was taken back is told, and mended by connecting again', async () => {
    const mine = new FakeBrowser(app.url);
    await mine.connect();
    const id = await connectionId(mine);
    for (const grant of app.demo?.oauth.grants ?? []) Object.assign(grant, { revoked: true });
    await mine.post(`/connections/${id}/sync`);
    await mine.events();
    const page = await mine.text('/');
    expect(page).toContain('no longer lets us in');
    expect(page).toContain(`/connect/songbook?way=oauth2&amp;connectionId=${id}`);
    expect(await mine.connect(`?way=oauth2&connectionId=${id}`)).toBe('/?connected=songbook');
    expect(await mine.text('/')).toContain('Sync now');
    expect(lines.join('\n')).toContain('has to connect again');
  });
});

describe('privacy', () => {
  test('erasing leaves nothing of the user, tells the service, and lets others be', async () => {
    const own = await startForTest();
    try {
      const [ana, ben] = [new FakeBrowser(own.url), new FakeBrowser(own.url)];
      for (const who of [ana, ben]) {
        await who.connect();
        await who.post(`/connections/${await connectionId(who)}/sync`);
        await who.events();
        await who.upload(exportOf('Blue Door'), 'NetflixViewingHistory.csv', { dateOrder: 'YMD' });
        await imported(who);
      }
      const users = () =>
        fileOf(own)
          .prepare('SELECT user_no, user_id FROM mca_users ORDER BY user_no')
          .all()
          .map((row) => ({ no: Number(row.user_no), id: String(row.user_id) }));
      const before = users();
      expect(before).toHaveLength(2);
      expect((await ana.post('/erase')).status).toBe(400);
      expect(users()).toEqual(before);

      const answer = await ana.post('/erase', { sure: 'yes' });
      expect(await answer.text()).toContain('All of it is gone');
      expect(answer.headers.getSetCookie().at(-1)).toContain('Max-Age=0');
      const [gone = { no: 0, id: '' }] = before;
      expect(users()).toEqual(before.slice(1));
      for (const { name } of fileOf(own).prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()) {
        const rows = fileOf(own).prepare(`SELECT * FROM "${name}"`).all();
        const theirs = rows.filter((row) => Object.values(row).includes(gone.id) || row.user_no === gone.no);
        expect(theirs, `table ${name}`).toEqual([]);
      }
      expect(await listConnections(own.registry, { userId: gone.id })).toEqual([]);
      expect(own.demo?.oauth.grants.map(({ revoked }) => revoked)).toEqual([true, false]);
      expect(await ben.text('/search?q=blue+door')).toContain('Blue Door');
    } finally {
      await own.close();
    }
  });

  test('no page can be framed or run foreign scripts; errors tell strangers nothing', async () => {
    const policy = (await browser.get('/')).headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(await browser.text('/')).not.toMatch(/ style="|<script>| on\w+="/);
    const missing = await browser.get('/nothing/here?secret=1');
    expect(missing.status).toBe(404);
    expect(await missing.text()).not.toMatch(/secret|node_modules|express/i);

    const broken = await startForTest({}, lines);
    fileOf(broken).exec('DROP TABLE mca_items');
    const failed = await new FakeBrowser(broken.url).get('/search?q=my+secret');
    const page = await failed.text();
    expect(failed.status).toBe(500);
    expect(page).toMatch(/Reference: [0-9a-f]{8}/);
    expect(page).not.toMatch(/mca_items|secret|SQL|\.ts/i);
    expect(lines.join('\n')).toContain(/Reference: ([0-9a-f]{8})/.exec(page)?.[1]);
    await broken.close();
  });

  test('no token, code or title is in the log or on a page, and none in the database file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mca-express-'));
    const said: string[] = [];
    try {
      const database = join(folder, 'history.db');
      const own = await startForTest({ DATABASE: database }, said);
      const ana = new FakeBrowser(own.url);
      await ana.connect();
      await ana.post(`/connections/${await connectionId(ana)}/sync`);
      const events = await ana.events();
      const seen = JSON.stringify(events) + (await ana.text('/')) + said.join('\n');
      const [grant] = own.demo?.oauth.grants ?? [];
      await own.close();
      const key = readFileSync(`${database}.key`, 'utf8');
      const kept = readFileSync(database, 'latin1');
      for (const secret of [grant?.accessToken, grant?.refreshToken, key, ana.cookie.split('=')[1]]) {
        expect(secret).toBeTruthy();
        expect(seen).not.toContain(secret);
        expect(kept).not.toContain(secret);
      }
      expect(said.join('\n')).not.toContain('Orchard');
      expect(statSync(`${database}.key`).mode & 0o777).toBe(0o600);
      expect(readSettings({ DATABASE: database }).key).toBe(key);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

test.skipIf(!server)('on Postgres, by one setting: connect, sync, look, erase', async () => {
  const { pool, schema, drop } = await freshSchema(server ?? { url: '' });
  // The app has the schema `mca`; a database of its own keeps that apart from everybody else's.
  await pool.query(`CREATE DATABASE "${schema}"`);
  const url = new URL(server?.url ?? '');
  url.pathname = `/${schema}`;
  const own = await startForTest({ DATABASE: url.href, MCA_KEY: randomBytes(32).toString('base64') });
  try {
    const ana = new FakeBrowser(own.url);
    await ana.connect();
    await ana.post(`/connections/${await connectionId(ana)}/sync`);
    await ana.events();
    expect(await ana.text('/history')).toContain('Orchard');
    await ana.post('/erase', { sure: 'yes' });
    await ana.get('/');
    expect(await ana.text('/history')).not.toContain('Orchard');
  } finally {
    await own.close();
    await pool.query(`DROP DATABASE "${schema}" WITH (FORCE)`);
    await drop();
  }
});

test('a setting that makes no sense is told by its name', () => {
  expect(() => readSettings({ PORT: 'http', DATABASE: ':memory:' })).toThrow('PORT');
  expect(() => readSettings({ DATABASE: 'postgres://db/app' })).toThrow('MCA_KEY');
});
