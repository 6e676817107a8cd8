import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chromiumPath, openChromium } from './browser-rig.ts';
import { startForTest } from './http-rig.ts';
import type { Running } from './start.ts';

const mustRun = Boolean(process.env.CI);
if (!chromiumPath && !mustRun) {
  console.warn('\n*** There is no Chromium on this machine: the browser tests of examples/express are SKIPPED. ***\n');
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const bundled = (name: string): string => fileURLToPath(new URL(`../quickstart/exports/${name}`, import.meta.url));

const films = (name: string): string =>
  fileURLToPath(new URL(`../../providers/letterboxd/__fixtures__/${name}`, import.meta.url));

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

describe.skipIf(!chromiumPath && !mustRun)('in a browser', () => {
  let app: Running;
  let browser: Awaited<ReturnType<typeof openChromium>>;
  let page: Page;
  /** What the pages complained of. */
  const complaints: string[] = [];
  /** Addresses that are not on this machine. */
  const strangers: string[] = [];

  beforeAll(async () => {
    app = await startForTest({ NAVIDROME: '1' });
    browser = await openChromium();
    browser.context.setDefaultTimeout(15_000);
    browser.context.on('request', (request) => {
      if (new URL(request.url()).hostname !== '127.0.0.1') strangers.push(request.url());
    });
    browser.context.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    browser.context.on('weberror', (error) => void complaints.push(String(error.error())));
    page = await browser.context.newPage();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await app?.close();
  });
  // Each test is somebody new.
  beforeEach(() => browser.context.clearCookies());
  afterEach(() => {
    expect(complaints.splice(0)).toEqual([]);
    expect(strangers).toEqual([]);
  });

  const button = (name: string | RegExp): Locator => page.getByRole('button', { name });
  /** What stands on the page; the same may be said besides, in its live region. */
  const seen = (text: string, options = {}): Locator => page.locator('main').getByText(text, options);
  const good = (): Locator => page.locator('.card .notice.good, #import-job .notice.good');

  /** No violation, in light and in dark; with all that can be opened open. */
  async function checkAccess(name: string): Promise<void> {
    await page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })");
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      // Through the debugger, as our policy lets no page run what is not ours.
      await page.evaluate(axe);
      const violations = (await page.evaluate(
        'axe.run().then(({ violations }) => violations)',
      )) as readonly Violation[];
      const told = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`);
      expect(told, `${name}, ${colorScheme}`).toEqual([]);
    }
    await page.emulateMedia({ colorScheme: null });
  }

  /** Nothing sticks out to the side. */
  async function checkPhone(): Promise<void> {
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    await page.setViewportSize({ width: 1280, height: 900 });
  }

  test('connect, sync, look, lose the access, connect again, upload, search, delete, erase', async () => {
    await page.goto(app.url);
    await checkAccess('services, empty');
    await page.getByRole('link', { name: 'Connect Songbook (demo)', exact: true }).click();
    await page.waitForURL(/authorize/);
    await checkAccess('consent');
    await checkPhone();
    await button('Agree').click();
    await seen('is connected.').waitFor();

    app.demo?.oauth.grants.at(0)?.accessTokens.clear();
    await button('Sync now').click();
    await good().waitFor();
    const plays = (app.demo?.service.plays('ada').length ?? 0).toLocaleString('en-US');
    expect(await good().textContent()).toContain(`${plays} new. Everything is here.`);
    // The access token had ended; it was refreshed, and nobody had to do anything.
    expect(app.demo?.oauth.calls.some(({ grantType }) => grantType === 'refresh_token')).toBe(true);
    await checkAccess('services, connected');
    await checkPhone();

    await page.getByRole('link', { name: 'History', exact: true }).click();
    await seen(plays, { exact: true }).waitFor();
    expect(await page.locator('.plot rect').count()).toBeGreaterThan(50);
    await checkAccess('history');
    await checkPhone();
    await page.locator('.years a').nth(2).click();
    await page.waitForURL(/year=/);
    expect(await page.locator('.plot').first().locator('.block').count()).toBe(12);

    // Now the grant behind the token is gone, too.
    for (const grant of app.demo?.oauth.grants ?? []) {
      Object.assign(grant, { revoked: true });
      grant.accessTokens.clear();
    }
    await page.goto(app.url);
    await button('Sync now').click();
    await seen('no longer lets us in. Connect again').waitFor();
    await checkAccess('services, access lost');
    await page.getByRole('link', { name: 'Connect again' }).click();
    await button('Agree').click();
    await button('Sync now').click();
    await seen('Nothing new. Everything is here.').waitFor();
    expect(await page.locator('[id^=connection-]').count()).toBe(1);

    await page.getByRole('link', { name: 'Import', exact: true }).click();
    await page.getByLabel('Files', { exact: true }).setInputFiles(bundled('takeout-youtube.zip'));
    await button('Upload and import').click();
    await good().waitFor();
    expect(await good().textContent()).toContain('4,409 records read');
    await page.getByRole('rowheader', { name: 'takeout-youtube.zip' }).waitFor();
    await checkAccess('import');
    await checkPhone();

    await page.getByRole('link', { name: 'Search' }).click();
    await page.getByLabel('Title or creator').fill('old maps');
    await button('Search').click();
    await page.waitForURL(/q=old/);
    expect(await page.locator('.items > li').count()).toBe(25);
    await checkAccess('search');
    await checkPhone();
    await page.getByRole('link', { name: 'Older' }).click();
    await page.getByRole('link', { name: 'To the newest' }).waitFor();
    const first = page.locator('.items > li').first();
    await first.locator('summary').click();
    await first.getByRole('button', { name: 'Delete for good' }).click();
    await seen('Deleted for good').waitFor();

    await page.getByRole('link', { name: 'Erase' }).click();
    await page.waitForURL(/erase/);
    await checkAccess('erase');
    await page.getByLabel('Yes, erase everything').check();
    await button('Erase my data').click();
    await seen('All of it is gone').waitFor();
    await checkAccess('erased');
    await page.getByRole('link', { name: 'History', exact: true }).click();
    await seen('There is nothing yet.').waitFor();
    await checkAccess('history, empty');
  }, 60_000);

  test('connect and sync with the keyboard alone', async () => {
    await page.goto(app.url);
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
    await page.keyboard.press('Enter');
    await tabTo('Connect Songbook (demo)');
    await page.keyboard.press('Enter');
    await page.waitForURL(/authorize/);
    await tabTo('Agree');
    await page.keyboard.press('Enter');
    await page.waitForURL(/connected=songbook/);
    await tabTo('Sync now Songbook (demo)');
    await page.keyboard.press('Enter');
    await good().waitFor();
    // What happened is said, for those who do not see it.
    await expect.poll(() => page.locator('#live').textContent()).toContain('Everything is here.');
  }, 30_000);

  async function tabTo(text: string): Promise<void> {
    for (let presses = 0; presses < 40; presses += 1) {
      await page.keyboard.press('Tab');
      if ((await page.evaluate('document.activeElement.textContent.trim()')) === text) return;
    }
    throw new Error(`Nobody gets to "${text}" with the tab key.`);
  }

  test('a code on another device, a token in a form, a server of one’s own; pages of errors', async () => {
    await page.goto(`${app.url}/services/songbook/device-code`);
    await checkAccess('device code, before');
    await button('Get a code').click();
    await page.locator('.code').waitFor();
    await checkAccess('device code');
    await checkPhone();
    const [device] = await Promise.all([browser.context.waitForEvent('page'), page.locator('.card a').first().click()]);
    await device.getByRole('button', { name: 'Agree' }).click();
    await device.getByText('Thank you').waitFor();
    await device.close();
    // The page of the app notices by itself.
    await page.waitForURL(/connected=songbook/);

    await page.goto(`${app.url}/services/songbook/form`);
    await checkAccess('form');
    await page.getByLabel('Token').fill('wrong');
    await button('Connect').click();
    await seen('does not accept this').waitFor();
    await checkAccess('form, refused');
    await page.goto(app.url);
    await page.getByRole('link', { name: 'Connect Navidrome (Subsonic)', exact: true }).click();
    await checkAccess('server of one’s own');
    await checkPhone();
    await page.getByLabel('Address of the server').fill('http://192.168.7.7/music');
    await page.getByLabel('User name').fill('ana');
    await page.getByLabel('Password', { exact: true }).fill('secret');
    await button('Connect').click();
    await seen('it lies in a private network').waitFor();
    await checkAccess('server of one’s own, refused');

    await page.goto(`${app.url}/nothing-here`);
    await seen('There is nothing here').waitFor();
    await checkAccess('404');
    // Chromium tells of answers that are errors, as it should.
    expect(complaints.splice(0).every((text) => /status of (422|404)/.test(text))).toBe(true);
  }, 30_000);

  test('loose files of one service go up together; what has no date is counted, and in no chart', async () => {
    await page.goto(`${app.url}/import`);
    await page.getByLabel('Files', { exact: true }).setInputFiles([films('diary.csv'), films('watched.csv')]);
    await button('Upload and import').click();
    await page.locator('#import-job .notice').waitFor();
    await page.getByRole('rowheader', { name: 'diary.csv and 1 more' }).waitFor();
    expect(await page.locator('#imports-list tbody tr').count()).toBe(1);
    await page.getByRole('link', { name: 'History', exact: true }).click();
    await seen('Without a date, or before 1970').waitFor();
    expect(await page.locator('.years a').allTextContents()).toEqual(['All', '2025']);
    await checkAccess('history, with undated films');
    await checkPhone();
  }, 30_000);

  test('everything works without scripts', async () => {
    const plain = await browser.context.browser()?.newContext({ javaScriptEnabled: false });
    const own = plain ? await plain.newPage() : undefined;
    if (!plain || !own) throw new Error('no second context');
    own.setDefaultTimeout(15_000);
    await own.goto(app.url);
    await own.getByRole('link', { name: 'Connect Songbook (demo)', exact: true }).click();
    await own.getByRole('button', { name: 'Agree' }).click();
    await own.getByRole('button', { name: 'Sync now' }).click();
    // The page looks again by itself until it is done.
    await own.locator('.card .notice.good').waitFor();
    await own.goto(`${app.url}/services/songbook/device-code`);
    await own.getByRole('button', { name: 'Get a code' }).click();
    app.demo?.oauth.answerDevice((await own.locator('.code').textContent()) ?? '', 'approve');
    // Before its time the service is not asked, and the page says that nobody has agreed yet.
    await expect
      .poll(
        async () => {
          await own.getByRole('button', { name: 'I have agreed' }).click();
          return own.url();
        },
        { timeout: 15_000, interval: 500 },
      )
      .toContain('connected=songbook');
    await own.goto(`${app.url}/import`);
    await own.getByLabel('Files', { exact: true }).setInputFiles(bundled('TikTok_Data_1761868800.zip'));
    await own.getByRole('button', { name: 'Upload and import' }).click();
    await own.locator('#import-job .notice.good').waitFor();
    await own.getByLabel('Files', { exact: true }).setInputFiles([films('diary.csv'), films('watched.csv')]);
    await own.getByRole('button', { name: 'Upload and import' }).click();
    await own.getByRole('rowheader', { name: 'diary.csv and 1 more' }).waitFor();
    await plain.close();
  }, 30_000);
});
