// Takes the pictures of the README:
//   node --conditions=@mca/source --disable-warning=ExperimentalWarning examples/express/screenshots.ts
import { mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openChromium } from './browser-rig.ts';
import { readSettings } from './settings.ts';
import { start } from './start.ts';

const folder = fileURLToPath(new URL('../../docs/images', import.meta.url));
mkdirSync(folder, { recursive: true });
const running = await start(readSettings({ PORT: '0', DATABASE: ':memory:', TIME_ZONE: 'UTC' }), { demoPageMs: 60 });
const browser = await openChromium();
try {
  const page = await browser.context.newPage();
  const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } } as const;

  async function take(name: string): Promise<void> {
    for (const [size, viewport] of Object.entries(SIZES)) {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize(viewport);
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.evaluate('scrollTo(0, 0)');
        // Drawn in its new colours.
        await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
        const path = `${folder}/express-${name}-${size}-${colorScheme}.png`;
        await page.screenshot({ path });
        console.log(`${path}  ${Math.round(statSync(path).size / 1024)} kB`);
      }
    }
  }

  await page.goto(`${running.url}/import`);
  await page.getByRole('button', { name: 'Import the bundled exports' }).click();
  await page.locator('.notice.good').waitFor();
  await page.goto(running.url);
  await page.getByRole('link', { name: 'Connect Songbook (demo)', exact: true }).click();
  await page.getByRole('button', { name: 'Agree' }).click();
  await page.goto(running.url);
  await page.getByRole('button', { name: 'Sync now' }).click();
  // In the middle of it.
  await page.locator('.job-text', { hasText: /[23],\d+ records read/ }).waitFor();
  await take('services');
  await page.locator('.notice.good').waitFor();
  await page.goto(`${running.url}/history`);
  await take('history');
  await page.goto(`${running.url}/search?q=orchard`);
  await take('search');
  await page.goto(`${running.url}/import`);
  await take('import');
} finally {
  await browser.close();
  await running.close();
}
