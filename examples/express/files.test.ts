import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { request as send } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { exportOf, FakeBrowser, imported, startForTest } from './http-rig.ts';
import type { Running } from './start.ts';
import { html } from './web/html.ts';

const HOSTILE = `<script>alert(1)</script>"'&`;

let app: Running;
let browser: FakeBrowser;
let folder: string;
beforeAll(async () => {
  // A place of its own for what is uploaded, as other tests upload at the same time.
  folder = mkdtempSync(join(tmpdir(), 'mca-files-test-'));
  vi.stubEnv('TMPDIR', folder);
  app = await startForTest({ UPLOAD_LIMIT_MB: '1' });
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

/** Folders of uploads that are still there. */
const uploads = (): readonly string[] => readdirSync(folder).flatMap((own) => readdirSync(join(folder, own)));

describe('files', () => {
  test('titles of strangers are text, wherever they stand', async () => {
    await browser.upload(exportOf(HOSTILE), 'NetflixViewingHistory.csv', { dateOrder: 'YMD' });
    expect(await imported(browser)).toContain('2 new');
    const pages = await Promise.all(
      ['/search', '/history', '/import', `/search?q=${encodeURIComponent(HOSTILE)}`].map((path) => browser.text(path)),
    );
    for (const page of pages) expect(page).not.toContain('<script>alert');
    expect(pages[0]).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;');
    expect(pages[3]).toContain('value="&lt;script&gt;');
    expect(html`<p title="${HOSTILE}">${[HOSTILE, html`<b>${1}</b>`, undefined, false]}</p>`.markup).not.toMatch(
      /<script|'/,
    );
  });

  test('names of files are shown, never used as paths; nothing of an upload stays', async () => {
    expect(uploads()).toEqual([]);
    await browser.upload(exportOf('Blue Door'), '../../../etc/<b>NetflixViewingHistory.csv', { dateOrder: 'YMD' });
    const page = await imported(browser);
    expect(page).toContain('&lt;b&gt;NetflixViewingHistory.csv');
    expect(page).not.toContain('etc/');
    expect(uploads()).toEqual([]);
  });

  test.each([
    ['declared', (bytes: Buffer, boundary: string) => form(bytes, boundary)],
    ['not declared', (bytes: Buffer, boundary: string) => new Blob([new Uint8Array(form(bytes, boundary))]).stream()],
  ])('a file that is too long is refused with its length %s, and leaves nothing', async (_name, bodyOf) => {
    expect(uploads()).toEqual([]);
    const csrf = await browser.csrf();
    const boundary = 'xxBOUNDARYxx';
    const body = bodyOf(Buffer.concat([Buffer.from(csrf), randomBytes(2_200_000)]), boundary);
    const answer = await fetch(`${app.url}/import`, {
      method: 'POST',
      headers: { cookie: browser.cookie, origin: app.url, 'content-type': `multipart/form-data; boundary=${boundary}` },
      body,
      duplex: 'half',
    } as RequestInit);
    expect(answer.status).toBe(413);
    expect(await answer.text()).toContain('up to 1 MB');
    expect(uploads()).toEqual([]);
    expect(await browser.text('/import')).not.toContain('>Imported<');
  });

  /** The first 43 bytes are the token, the rest is the file. */
  function form(bytes: Buffer, boundary: string): Buffer {
    const field = `--${boundary}\r\ncontent-disposition: form-data; name="csrf"\r\n\r\n`;
    const file = `\r\n--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="a.zip"\r\n\r\n`;
    const parts = [field, bytes.subarray(0, 43), file, bytes.subarray(43), `\r\n--${boundary}--\r\n`];
    return Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  }

  test('an upload that breaks off leaves nothing', async () => {
    expect(uploads()).toEqual([]);
    const csrf = await browser.csrf();
    const [first] = [form(Buffer.concat([Buffer.from(csrf), randomBytes(100_000)]), 'x').subarray(0, 60_000)];
    const request = send(`${app.url}/import`, {
      method: 'POST',
      headers: {
        cookie: browser.cookie,
        origin: app.url,
        'content-type': 'multipart/form-data; boundary=x',
        'content-length': 100_000,
      },
    });
    request.on('error', () => {});
    request.write(first);
    await expect.poll(uploads).toHaveLength(1);
    request.destroy();
    await expect.poll(uploads).toEqual([]);
  });

  test('what nobody can read is told; no file, and half a form, too', async () => {
    await browser.upload(randomBytes(5_000), 'holiday.jpg');
    expect(await imported(browser)).toContain('class="notice bad"');
    expect((await browser.upload(new Uint8Array(), '')).status).toBe(400);
    const half = await browser.post('/import', {}, { 'content-type': 'multipart/form-data; boundary=x' });
    expect(half.status).toBe(400);
  });

  test('search goes page by page, without gap or repeat; a deleted item is gone for good', async () => {
    const rows = Array.from(
      { length: 60 },
      (_, index) => `"Film ${index}","2024-05-${String((index % 28) + 1).padStart(2, '0')}"`,
    );
    const csv = Buffer.from(`Title,Date\n${rows.join('\n')}\n`);
    await browser.upload(csv, 'NetflixViewingHistory.csv', { dateOrder: 'YMD' });
    await imported(browser);
    const titles: string[] = [];
    let next: string | undefined = '/search?q=film';
    while (next) {
      const page: string = await browser.text(next);
      titles.push(...[...page.matchAll(/class="title">([^<]+)</g)].map(([, title = '']) => title));
      next = /rel="next" href="([^"]+)"/.exec(page)?.[1]?.replaceAll('&amp;', '&');
    }
    expect(titles.length).toBe(60);
    expect(new Set(titles).size).toBe(60);
    expect((await browser.get('/search?cursor=nonsense')).status).toBe(400);

    const page = await browser.text('/search?q=film+7');
    const field = (name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(page)?.[1] ?? '';
    await browser.post('/items/delete', { platform: field('platform'), externalId: field('externalId'), q: 'film 7' });
    expect(await browser.text('/search?q=film+7')).toContain('Nothing found');
    await browser.upload(csv, 'NetflixViewingHistory.csv', { dateOrder: 'YMD' });
    await imported(browser);
    expect(await browser.text('/search?q=film+7')).toContain('Nothing found');
  });
});
