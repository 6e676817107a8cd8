import { setTimeout as pause } from 'node:timers/promises';
import { listConnections } from '@mca/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { agree, connectionId, FakeBrowser, startForTest, userOf } from './http-rig.ts';
import type { Running } from './start.ts';
import { Jobs } from './web/jobs.ts';

const CODE = '/services/songbook/device-code';
const FORM = '/services/songbook/form';
const LOST = 'no longer lets us in: connect again';

let app: Running;
let browser: FakeBrowser;
beforeEach(async () => {
  app = await startForTest();
  browser = new FakeBrowser(app.url);
  await browser.get('/');
});
afterEach(() => app.close());

const demo = () => app.demo ?? expect.fail('no demo service');
const tokenOf = (): string => demo().oauth.grant(['plays']).accessToken;
const codeOn = (page: string): string => /class="code">([^<]+)</.exec(page)?.[1] ?? '';

/** Asks for a code, and agrees; answers what goes on with it. */
async function agreeByCode(query = ''): Promise<Readonly<Record<string, string>>> {
  const id = new URLSearchParams(query).get('connectionId');
  const fields = id ? { connectionId: id } : {};
  await browser.post(CODE, fields);
  const page = await browser.text(CODE + query);
  demo().oauth.answerDevice(codeOn(page), 'approve');
  // The interval of the service.
  await pause(1_100);
  return { ...fields, state: /name="state" value="([^"]+)"/.exec(page)?.[1] ?? '' };
}

describe('how the last sync ended', () => {
  /** A connection whose access is gone, which its card says. */
  async function lost(): Promise<string> {
    await browser.connect();
    const id = await connectionId(browser);
    for (const grant of demo().oauth.grants) Object.assign(grant, { revoked: true });
    await browser.post(`/connections/${id}/sync`);
    await browser.events();
    expect(await browser.text('/')).toContain(LOST);
    return id;
  }

  test.each([
    ['a log-in', async (id: string) => void (await browser.connect(`?connectionId=${id}`))],
    ['a form', async (id: string) => void (await browser.post(FORM, { connectionId: id, token: tokenOf() }))],
    ['a code', async (id: string) => void (await browser.post(CODE, await agreeByCode(`?connectionId=${id}`)))],
  ])('is not told any more once it is connected again by %s', async (_name, connect) => {
    const id = await lost();
    await connect(id);
    const page = await browser.text('/');
    expect(page).toContain('Sync now');
    expect(page).not.toContain(LOST);
    expect(await connectionId(browser)).toBe(id);
  });

  test('nor once a script has disconnected it', async () => {
    const id = await lost();
    const answer = await fetch(`${app.url}/connect/songbook/disconnect`, {
      method: 'POST',
      headers: {
        ...{ cookie: browser.cookie, origin: app.url, 'content-type': 'application/json' },
        'x-csrf-token': await browser.csrf(),
      },
      body: JSON.stringify({ connectionId: id }),
    });
    expect(answer.status).toBe(200);
    expect(await browser.text('/')).not.toContain(LOST);
  });
});

describe('erasing while something is being connected', () => {
  /** The service takes its time for what the callback, the form or the code ask it; tells when it is asked. */
  function slow(): { readonly asked: Promise<void>; answer(): void } {
    const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    for (const [one, path] of [
      [demo().oauth, '/token'],
      [demo().service, '/v1/'],
    ] as const) {
      const handle = one.handle.bind(one);
      one.handle = async (request) => {
        if (new URL(request.url).pathname.startsWith(path)) {
          asked.resolve();
          await gate.promise;
        }
        return await handle(request);
      };
    }
    return { asked: asked.promise, answer: gate.resolve };
  }

  const ways: readonly [string, () => Promise<() => Promise<Response>>][] = [
    [
      'a log-in',
      async () => {
        const begun = await browser.get('/connect/songbook');
        const back = await agree(begun.headers.get('location') ?? '');
        return () => fetch(new URL(back, app.url), { headers: { cookie: browser.cookie }, redirect: 'manual' });
      },
    ],
    [
      'a form',
      async () => {
        const token = tokenOf();
        return () => browser.post(FORM, { token });
      },
    ],
    [
      'a code',
      async () => {
        const step = await agreeByCode();
        return () => browser.post(CODE, step);
      },
    ],
  ];

  test.each(ways)(
    'waits for %s, and leaves no connection and no grant; none begins after',
    async (name, prepare) => {
      await browser.connect();
      const userId = await userOf(app);
      const go = await prepare();
      const service = slow();
      const { cookie } = browser;
      const connecting = go();
      await service.asked;
      let isErased = false;
      const erasing = browser.post('/erase', { sure: 'yes' }).then((answer) => {
        isErased = true;
        return answer;
      });
      await pause(200);
      expect(isErased).toBe(false);
      service.answer();
      expect((await erasing).status).toBe(200);
      await connecting;
      expect(await listConnections(app.registry, { userId })).toEqual([]);
      // A token that somebody has typed in is theirs to take back.
      if (name !== 'a form') expect(demo().oauth.grants.at(-1)).toMatchObject({ revoked: true });

      // Who still has the cookie gets no further.
      browser.cookie = cookie;
      expect((await browser.get('/connect/songbook')).status).toBe(409);
      expect((await browser.post(FORM, { token: 'x' })).status).toBe(409);
      expect((await browser.post(CODE)).status).toBe(409);
      expect(await listConnections(app.registry, { userId })).toEqual([]);
    },
    15_000,
  );

  test('a service that never answers is waited for so long, and then nothing is erased', async () => {
    const jobs = new Jobs(() => expect.fail('nothing fails'), 50);
    const step = Promise.withResolvers<string>();
    const connecting = jobs.during('ana', () => step.promise);
    await expect(jobs.shut('ana')).rejects.toMatchObject({ status: 503 });
    // Who is not gone may go on.
    expect(await jobs.during('ana', async () => 'still here')).toBe('still here');
    step.resolve('connected');
    expect(await connecting).toBe('connected');
    const letIn = await jobs.shut('ana');
    await expect(jobs.during('ana', async () => 'gone')).rejects.toMatchObject({ status: 409 });
    letIn();
    expect(await jobs.during('ana', async () => 'here')).toBe('here');
  });
});
