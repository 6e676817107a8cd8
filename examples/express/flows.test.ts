import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { agree, connectionId, FakeBrowser, startForTest, userOf } from './http-rig.ts';
import type { Running } from './start.ts';
import { Turns } from './web/turns.ts';

const CODE = '/services/songbook/device-code';
const FORM = '/services/songbook/form';

let app: Running;
let browser: FakeBrowser;
beforeAll(async () => {
  app = await startForTest();
});
afterAll(() => app.close());
beforeEach(async () => {
  browser = new FakeBrowser(app.url);
  await browser.get('/');
});

const codeOn = (page: string): string => /class="code">([^<]+)</.exec(page)?.[1] ?? '';
const codesAsked = (): number => app.demo?.oauth.calls.filter(({ endpoint }) => endpoint === 'device').length ?? 0;
const flowsKept = (): number =>
  Number(app.database?.prepare('SELECT count(*) AS n FROM mca_connect_states').get()?.n ?? expect.fail('no database'));

describe('connecting again by a form', () => {
  const again = (page: string): string => /name="connectionId" value="([^"]+)"/.exec(page)?.[1] ?? '';

  test('goes on with the same connection after a slip and after a wrong token', async () => {
    await browser.connect();
    const id = await connectionId(browser);
    const page = await browser.text(`${FORM}?connectionId=${id}`);
    expect(page).toContain('Connect Songbook (demo) again');
    expect(again(page)).toBe(id);
    for (const token of ['', 'wrong']) {
      expect(again(await (await browser.post(FORM, { connectionId: id, token })).text()), token).toBe(id);
    }
    // Somebody else's token must not end up in it: that is what the page would forget with the id.
    const { accessToken = '' } = app.demo?.oauth.grant(['plays']) ?? {};
    const { behaviour } = app.demo?.oauth ?? expect.fail();
    behaviour.account = 'bea';
    const { accessToken: beas = '' } = app.demo?.oauth.grant(['plays']) ?? {};
    behaviour.account = 'ada';
    const other = await (await browser.post(FORM, { connectionId: id, token: beas })).text();
    expect(other).toContain('another account than before');
    const done = await browser.post(FORM, { connectionId: again(other), token: accessToken });
    expect(done.headers.get('location')).toBe('/?connected=songbook');
    const connections = await app.registry.storage.listConnections({ userId: await userOf(app, id) });
    expect(connections.map((each) => [each.id, each.account])).toEqual([[id, 'ada']]);
  });

  test('is for connections of the user only', async () => {
    const ana = new FakeBrowser(app.url);
    await ana.connect();
    const id = await connectionId(ana);
    const { accessToken: token = '' } = app.demo?.oauth.grant(['plays']) ?? {};
    for (const path of [FORM, CODE]) {
      expect((await browser.get(`${path}?connectionId=${id}`)).status, path).toBe(404);
      expect((await browser.post(path, { connectionId: id, token })).status, path).toBe(404);
    }
    expect(await connectionId(browser)).toBe('');
  });
});

describe('beginning', () => {
  const byScript = async (who: FakeBrowser): Promise<Response> => {
    const headers = { cookie: who.cookie, origin: app.url, 'content-type': 'application/json', accept: 'text/html' };
    const csrf = await who.csrf();
    return fetch(`${app.url}/connect/songbook`, {
      method: 'POST',
      headers: { ...headers, 'x-csrf-token': csrf },
      body: '{}',
    });
  };

  test('pages that are opened begin nothing, whoever opens them', async () => {
    const before = [codesAsked(), flowsKept()];
    for (const path of [CODE, FORM, '/connect/songbook?way=device-code', '/connect/songbook?way=form']) {
      for (const who of [browser, new FakeBrowser(app.url)])
        expect((await who.get(path)).status, path).toBeLessThan(400);
    }
    expect([codesAsked(), flowsKept()]).toEqual(before);
    expect((await browser.post(CODE, { csrf: 'x' })).status).toBe(403);
    expect(codesAsked()).toBe(before[0]);
  });

  test('a link that names a way without a log-in there leads to its page', async () => {
    const to = async (path: string) => (await browser.get(path)).headers.get('location');
    expect(await to('/connect/songbook?way=device-code&connectionId=x')).toBe(`${CODE}?connectionId=x`);
    expect(await to('/connect/listenbrainz')).toBe('/services/listenbrainz/form');
    expect(await to('/connect/netflix')).toBe('/import');
  });

  test('a code that is still good is shown again; two clicks get one', async () => {
    const before = codesAsked();
    const answers = await Promise.all([browser.post(CODE), browser.post(CODE)]);
    expect(answers.map(({ status }) => status)).toEqual([303, 303]);
    const code = codeOn(await browser.text(CODE));
    expect(code).not.toBe('');
    await browser.post(CODE);
    expect(codeOn(await browser.text(CODE))).toBe(code);
    expect(codesAsked()).toBe(before + 1);
    // It is the session's.
    expect(codeOn(await new FakeBrowser(app.url).text(CODE))).toBe('');
  });

  test('scripts ask where the form goes to, and hear where to go on', async () => {
    await browser.post(CODE);
    const page = await browser.text(CODE);
    const [, state = ''] = /name="state" value="([^"]+)"/.exec(page) ?? [];
    expect(Number(/data-poll-for="(\d+)"/.exec(page)?.[1])).toBeGreaterThan(60_000);
    const ask = async () => (await browser.post(CODE, { state }, { accept: 'application/json' })).json();
    expect(await ask()).toEqual({ pollAfterMs: expect.any(Number) });
    app.demo?.oauth.answerDevice(codeOn(page), 'deny');
    await expect
      .poll(ask, { timeout: 10_000, interval: 300 })
      .toEqual({ location: '/?failed=songbook&because=access_denied' });
    expect(await browser.text(CODE)).toContain('Get a code');
  });

  test.each([
    ['log-ins', (who: FakeBrowser) => who.get('/connect/songbook')],
    ['log-ins by a script', byScript],
    ['forms', (who: FakeBrowser) => who.post(FORM, { token: 'guess' })],
  ])('a session may begin so many %s in a minute, and is told to wait', async (_name, begin) => {
    for (let turn = 0; turn < 10; turn += 1) expect((await begin(browser)).status).toBeLessThan(429);
    const refused = await begin(browser);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('60');
    expect(await refused.text()).toContain('Try again in a minute');
    expect((await browser.post(CODE)).status).toBe(429);
    expect((await browser.get('/')).status).toBe(200);
  });

  test('what is refused, and begins nothing, takes no turn', async () => {
    const paths = ['/connect/songbook?connectionId=nothing', '/connect/nobody', '/connect/songbook?way=none'];
    for (let turn = 0; turn < 12; turn += 1) {
      const asked = await browser.get(paths[turn % 2] ?? '');
      expect(asked.status, paths[turn % 2]).toBe(404);
      expect((await browser.post(FORM, { token: '' })).status).toBe(422);
      expect((await browser.post('/connect/songbook', {}, { 'content-type': 'text/plain' })).status).toBe(403);
    }
    expect(await browser.connect()).toBe('/?connected=songbook');
  });

  test('somebody whose first page it is gets a session, and on to the service', async () => {
    const first = new FakeBrowser(app.url);
    const begun = await first.get('/connect/songbook');
    expect(begun.status).toBe(302);
    const back = await agree(begun.headers.get('location') ?? '');
    expect((await first.get(back)).headers.get('location')).toBe('/?connected=songbook');
  });

  test('those who bring no cookie take the turns of nobody else', async () => {
    const own = await startForTest();
    try {
      const statuses: number[] = [];
      for (let turn = 0; turn < 130; turn += 1) {
        const answer = await fetch(`${own.url}/connect/songbook`, { redirect: 'manual' });
        await answer.text();
        statuses.push(answer.status);
      }
      expect(statuses.filter((status) => status === 302)).toHaveLength(30);
      expect(new Set(statuses.slice(30))).toEqual(new Set([429]));
      const ana = new FakeBrowser(own.url);
      expect(await ana.connect()).toBe('/?connected=songbook');
    } finally {
      await own.close();
    }
  }, 30_000);

  test('asking whether a connection still works asks the service, and takes a turn; looking at it does not', async () => {
    await browser.connect();
    const status = '/connect/songbook/status';
    for (let turn = 0; turn < 9; turn += 1) expect((await browser.get(`${status}?check=1`)).status).toBe(200);
    expect((await browser.get(`${status}?check=1`)).status).toBe(429);
    expect((await browser.get(status)).status).toBe(200);
  });

  test('so may everybody together: sessions cost nothing', () => {
    let now = 0;
    const turns = new Turns({ perUser: 2, forAll: 5, now: () => now });
    for (const user of ['a', 'a', 'b', 'c']) turns.take(user);
    turns.take('d')();
    turns.take('d');
    expect(() => turns.take('a')).toThrow('Try again in a minute');
    expect(() => turns.take('e')).toThrow(expect.objectContaining({ status: 429 }));
    now = 60_000;
    for (const user of ['a', 'a', 'e']) turns.take(user);
    expect(() => turns.take('a')).toThrow('Try again in a minute');
  });
});

test('what stands in an address chooses among texts of ours, whatever it is called', async () => {
  for (const because of ['__proto__', 'constructor', 'toString', '']) {
    const page = await browser.get(`/?failed=songbook&because=${because}`);
    expect(page.status, because).toBe(200);
    expect(await page.text()).toContain('Songbook (demo) could not be connected. Try again in a while.');
  }
});
