import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { request as send } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listImports, queryItems } from '@mca/core';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { exportOf, FakeBrowser, imported, startForTest } from './http-rig.ts';
import type { Running } from './start.ts';

const DIARY = Buffer.from(
  'Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date\n2025-03-02,Blue Door,2019,https://boxd.it/9a1,4.5,,,2025-03-01\n',
);
const WATCHED = Buffer.from(
  'Date,Name,Year,Letterboxd URI\n2025-03-02,Blue Door,2019,https://boxd.it/4b1\n2024-01-07,Old Harbour,1974,https://boxd.it/4b7\n',
);

let app: Running;
let browser: FakeBrowser;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mca-several-test-'));
  vi.stubEnv('TMPDIR', folder);
  app = await startForTest({ UPLOAD_LIMIT_MB: '1', DEMO: '0' }, [], 0, { uploadsAtOnce: 2 });
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

const uploads = (): readonly string[] => readdirSync(folder).flatMap((own) => readdirSync(join(folder, own)));
/** Who is behind the imports of this test: the last to have made one. */
async function lastUser(): Promise<string> {
  const row = app.database?.prepare('SELECT user_id FROM mca_users ORDER BY user_no DESC LIMIT 1').get();
  return String(row?.user_id);
}

describe('several files in one upload', () => {
  test('those of one service are imported together: the diary tells what the list of films repeats', async () => {
    const answer = await browser.uploadAll([
      ['watched.csv', WATCHED],
      ['diary.csv', DIARY],
    ]);
    expect(answer.status).toBe(303);
    const page = await imported(browser);
    expect(page).toContain('3 records read: 2 new, 1 left out on purpose.');
    expect(page).not.toContain('ads and the like');
    const userId = await lastUser();
    const imports = await listImports(app.registry, { userId });
    expect(imports.map(({ provider, files }) => [provider, files])).toEqual([
      ['letterboxd', ['watched.csv', 'diary.csv']],
    ]);
    expect((await queryItems(app.registry, { userId })).items.map(({ title }) => title)).toEqual([
      'Blue Door',
      'Old Harbour',
    ]);
    expect(page).toContain('watched.csv and 1 more');
    expect(uploads()).toEqual([]);
  });

  test('those of several services are imported one service after the other; what nobody knows is told', async () => {
    await browser.uploadAll(
      [
        ['diary.csv', DIARY],
        ['NetflixViewingHistory.csv', exportOf('Blue Door')],
        ['holiday.jpg', Buffer.from([255, 216, 255, 0, 1])],
        ['watched.csv', WATCHED],
      ],
      { dateOrder: 'YMD' },
    );
    const page = await imported(browser);
    expect(page).toContain('5 records read: 4 new, 1 left out on purpose.');
    expect(page).toContain('Nobody here knows this file');
    const imports = await listImports(app.registry, { userId: await lastUser() });
    expect(imports.map(({ provider, files }) => [provider, files.length]).sort()).toEqual([
      ['letterboxd', 2],
      ['netflix', 1],
    ]);
    const events = await browser.events();
    expect(events.at(-1)).toMatchObject({ name: 'done', view: { outcome: 'partly' } });
    expect(uploads()).toEqual([]);
  });

  test('all of them together may be so long, and so many; nothing of what was refused stays', async () => {
    const half = Buffer.alloc(600_000, 'x');
    const long = await browser.uploadAll([
      ['a.csv', half],
      ['b.csv', half],
    ]);
    expect(long.status).toBe(413);
    expect(await long.text()).toContain('up to 1 MB together');
    // Whatever is said of its length: nothing here.
    const form = new FormData();
    form.set('csrf', await browser.csrf());
    for (const name of ['a.csv', 'b.csv']) form.append('file', new Blob([half]), name);
    const { headers, body } = new Response(form);
    const unsaid = await fetch(`${app.url}/import`, {
      method: 'POST',
      headers: { cookie: browser.cookie, origin: app.url, 'content-type': headers.get('content-type') ?? '' },
      body,
      duplex: 'half',
    } as RequestInit);
    expect(unsaid.status).toBe(413);
    expect(uploads()).toEqual([]);
    const many = await browser.uploadAll(Array.from({ length: 101 }, (_, index) => [`${index}.csv`, DIARY] as const));
    expect(many.status).toBe(413);
    expect(await many.text()).toContain('Choose up to 100');
    expect(uploads()).toEqual([]);
  });

  test('the form takes several', async () => {
    expect(await browser.text('/import')).toMatch(/<input id="file" type="file" [^>]*multiple required/);
  });

  test('a file that a spreadsheet has saved: what to do', async () => {
    const spoilt = DIARY.toString().replaceAll('2025-03-02', '02/03/2025').replaceAll('2025-03-01', '01/03/2025');
    await browser.upload(Buffer.from(spoilt), 'diary.csv');
    const page = await imported(browser);
    expect(page).toContain('Did a spreadsheet open and save the file? Ask the service for a new one');
    expect(page).not.toContain('nothing is for you to do');
  });
});

test('so many uploads at a time, of everybody together; then there is room again', async () => {
  const open = async () => {
    const who = new FakeBrowser(app.url);
    await who.get('/');
    const request = send(`${app.url}/import`, {
      method: 'POST',
      headers: { cookie: who.cookie, origin: app.url, 'content-type': 'multipart/form-data; boundary=x' },
    });
    request.on('error', () => {});
    request.write(
      `--x\r\ncontent-disposition: form-data; name="csrf"\r\n\r\n${await who.csrf()}\r\n--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\nTitle`,
    );
    return request;
  };
  const running = [await open(), await open()];
  await expect.poll(uploads).toHaveLength(2);
  const refused = await browser.upload(exportOf('Blue Door'), 'NetflixViewingHistory.csv', { dateOrder: 'YMD' });
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('60');
  expect(await refused.text()).toContain('Many people upload just now. Try again in a minute.');
  for (const request of running) request.destroy();
  await expect.poll(uploads).toEqual([]);
  await browser.upload(exportOf('Blue Door'), 'NetflixViewingHistory.csv', { dateOrder: 'YMD' });
  expect(await imported(browser)).toContain('2 new');
});

describe('what has no date', () => {
  test('is counted, and in no chart, year or first date; the search says so', async () => {
    await browser.uploadAll([
      ['diary.csv', DIARY],
      ['watched.csv', WATCHED],
    ]);
    await imported(browser);
    const page = await browser.text('/history');
    expect(page).not.toContain('1970-');
    expect(page).not.toContain('year=1970');
    expect(page).toMatch(/<dt>First<\/dt><dd><time[^>]*>1 Mar 2025/);
    expect(page).toContain('<dt>Plays and views</dt><dd>2</dd>');
    expect(page).toContain('<dt>Without a date, or before 1970</dt><dd>1</dd>');
    expect([...page.matchAll(/<th scope="row">/g)]).toHaveLength(1);
    const year = await browser.text('/history?year=2025');
    expect(year).toContain('<dt>Plays and views</dt><dd>1</dd>');
    expect(year).not.toContain('Without a date');
    const found = await browser.text('/search?q=old+harbour');
    expect(found).toContain('no date · letterboxd');
    expect(found).not.toContain('1970');
    expect(await browser.text('/search?q=blue+door')).toContain('1 Mar 2025');
  });

  test('is shown, too, where there is nothing else', async () => {
    await browser.upload(WATCHED, 'watched.csv');
    await imported(browser);
    const page = await browser.text('/history');
    expect(page).toContain('<dt>Without a date, or before 1970</dt><dd>2</dd>');
    expect(page).not.toContain('1 Jan 1970');
    expect(page).not.toContain('class="block"');
  });
});
