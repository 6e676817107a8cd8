import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ServerKind, SubsonicServer } from '../../providers/navidrome/__fixtures__/server.ts';
import { fields, serverWith } from '../../test/support/navidrome-rig.ts';
import { serve } from '../../test/support/serve.ts';
import { connectionId, FakeBrowser, startForTest, userOf } from './http-rig.ts';
import type { Running } from './start.ts';

const FORM = '/services/navidrome/host-supplied';
const PASSWORD = fields.password;

let app: Running;
let browser: FakeBrowser;
let stop: (() => Promise<void>) | undefined;
const lines: string[] = [];
beforeAll(async () => {
  app = await startForTest({ NAVIDROME: '1', NAVIDROME_NETWORKS: '127.0.0.0/8' }, lines);
});
afterAll(() => app.close());
beforeEach(async () => {
  browser = new FakeBrowser(app.url);
  await browser.get('/');
});
afterEach(async () => {
  await stop?.();
  stop = undefined;
});

/** Somebody's server, running; answers what its user would fill in. */
async function running(server: SubsonicServer) {
  const { origin, close } = await serve((request) => server.fetch(request));
  stop = close;
  return { url: `${origin}/home`, username: 'Ana', password: PASSWORD };
}
const NAVIDROME: ServerKind = { type: 'navidrome', hasPlayed: true };

describe('a server of one’s own', () => {
  test('is connected by a form of the app, synced, and connected again with a new password', async () => {
    const server = serverWith(NAVIDROME, 6);
    const filled = await running(server);
    expect(await browser.text('/')).toContain(`href="${FORM}"`);
    expect(await browser.text(FORM)).toContain('Address of the server');
    expect((await browser.post(FORM, filled)).headers.get('location')).toBe('/?connected=navidrome');
    const id = await connectionId(browser);
    await browser.post(`/connections/${id}/sync`);
    expect((await browser.events()).at(-1)?.view).toMatchObject({
      text: '6 new. Everything is here.',
      outcome: 'good',
    });
    expect(await browser.text('/search')).toContain('Song 3');

    // The password is another one now: the server refuses, and the app asks for it.
    server.intercept = (_path, query) => (query.has('t') ? refusal(40) : undefined);
    await browser.post(`/connections/${id}/sync`);
    await browser.events();
    const page = await browser.text('/');
    expect(page).toContain('no longer lets us in');
    expect(page).toContain(`href="${FORM}?connectionId=${id}"`);
    const again = await browser.text(`${FORM}?connectionId=${id}`);
    expect(again).toContain('Connect your server again');
    expect(again).toContain('name="username" value="Ana"');
    // It was http; that is not known any more, and https would be wrong.
    expect(again).toContain('name="url" type="url" value=""');
    expect(again).toContain(`Before, it was ${filled.url.replace('http://', '')}: begin it with`);
    server.intercept = () => undefined;
    await browser.post(FORM, { ...filled, connectionId: id });
    expect(await connectionId(browser)).toBe(id);
    expect(await browser.text('/')).toContain('Sync now');
    const connections = await app.registry.storage.listConnections({ userId: await userOf(app, id) });
    expect(connections.map(({ status }) => status)).toEqual(['active']);
  });

  test('is not connected over another one, nor by somebody else', async () => {
    const first = await running(serverWith(NAVIDROME, 1));
    await browser.post(FORM, first);
    const connection = await connectionId(browser);
    const other = await serve((request) => serverWith(NAVIDROME, 1).fetch(request));
    try {
      const answer = await browser.post(FORM, { ...first, url: `${other.origin}/home`, connectionId: connection });
      expect(answer.status).toBe(422);
      expect(await answer.text()).toContain('another user, or another server, than before');
    } finally {
      await other.close();
    }
    const stranger = new FakeBrowser(app.url);
    expect((await stranger.post(FORM, { ...first, connectionId: connection })).status).toBe(404);
    expect((await stranger.get(`${FORM}?connectionId=${connection}`)).status).toBe(404);
  });

  test('may want the password itself, if its user says so', async () => {
    const kind = (tokenRefusal: 10 | 40 | 41) => serverWith({ tokenRefusal }, 2);
    for (const tokenRefusal of [10, 41] as const) {
      const refused = await browser.post(FORM, await running(kind(tokenRefusal)));
      expect(await refused.text()).toContain('takes no tokens. Tick &quot;Send the password itself&quot;');
      await stop?.();
    }
    const filled = await running(kind(40));
    // Of this one it cannot be told whether the password is wrong.
    expect(await (await browser.post(FORM, filled)).text()).toContain(
      'may refuse tokens: tick &quot;Send the password',
    );
    const done = await browser.post(FORM, { ...filled, legacyPassword: 'yes' });
    expect(done.headers.get('location')).toBe('/?connected=navidrome');
  });

  test.each([
    ['a wrong password', { password: 'guess' }, 'does not accept this user name and password'],
    ['no password', { password: '' }, '&quot;Password&quot; is missing'],
    ['a path without a server', { path: '/elsewhere' }, 'No Subsonic server answers at this address'],
    ['an address of another kind', { url: 'ftp://127.0.0.1/' }, 'has to begin with https:// or http://'],
    ['no address', { url: 'my server' }, 'has to begin with https:// or http://'],
    ['an address that must not be reached', { url: 'http://192.168.7.7/' }, 'it lies in a private network'],
    ['the service of a cloud', { url: 'http://169.254.169.254/' }, 'it lies in a private network'],
  ])('%s is told in clear words', async (_name, { path, ...wrong }: Record<string, string>, words) => {
    const filled = await running(new SubsonicServer(path ? {} : NAVIDROME));
    const url = path ? new URL(path, filled.url).href : filled.url;
    const answer = await browser.post(FORM, { ...filled, url, ...wrong });
    expect(answer.status).toBe(422);
    const page = await answer.text();
    expect(page).toContain(words);
    // What was filled in comes back, but for the password, which is nowhere.
    expect(page).toContain('name="username" value="Ana"');
    expect(page).not.toContain(PASSWORD);
    expect(lines.join('\n')).not.toContain(PASSWORD);
    expect(await connectionId(browser)).toBe('');
  });
});

test.each(['https://ana:hunter2@music.example/x', 'http://ana@music.example', 'https://ana:hun/ter2@music.example'])(
  'the address %s is answered with what to do, and does not stand in the page again',
  async (url) => {
    const page = await (await browser.post(FORM, { url, username: 'Ana', password: PASSWORD })).text();
    expect(page).toContain('without user name and password');
    expect(page).toContain('name="url" type="url" value=""');
    expect(page + lines.join()).not.toMatch(/hun|ter2/);
  },
);

test('what stands behind the "?" of an address does not come back: it may be a password', async () => {
  const url = 'https://music.example/x?u=ana&p=hunter2';
  const page = await (await browser.post(FORM, { url, username: 'Ana', password: PASSWORD })).text();
  expect(page).toContain('to end before &quot;?&quot;');
  expect(page).toContain('value="https://music.example/x"');
  expect(page + lines.join()).not.toContain('hunter2');
});

function refusal(code: number): Response {
  return Response.json({
    'subsonic-response': { status: 'failed', version: '1.16.1', error: { code, message: 'no' } },
  });
}

test('without networks of the operator no address of this machine is reached; without NAVIDROME=1 none is asked for', async () => {
  const server = serverWith(NAVIDROME, 1);
  const filled = await running(server);
  const strict = await startForTest({ NAVIDROME: '1' });
  const off = await startForTest();
  try {
    const who = new FakeBrowser(strict.url);
    await who.get('/');
    const answer = await who.post(FORM, filled);
    expect(await answer.text()).toContain('it lies in a private network');
    expect(server.calls).toEqual([]);
    const other = new FakeBrowser(off.url);
    expect(await other.text('/')).not.toContain('Navidrome');
    expect((await other.get(FORM)).status).toBe(404);
    expect((await other.post(FORM, filled)).status).toBe(404);
  } finally {
    await strict.close();
    await off.close();
  }
});
