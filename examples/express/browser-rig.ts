import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';

const USUAL = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where a Chromium is on this machine: where `CHROMIUM` says, or where they usually are. */
export const chromiumPath = (process.env.CHROMIUM ? [process.env.CHROMIUM] : USUAL).find((path) => existsSync(path));

/** A browser of its own, with nothing in it. It asks no server but those it is sent to. */
export async function openChromium(): Promise<{ readonly context: BrowserContext; close(): Promise<void> }> {
  if (!chromiumPath) throw new Error('There is no Chromium. Install one, or set CHROMIUM to its path.');
  const folder = mkdtempSync(join(tmpdir(), 'mca-chromium-'));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: chromiumPath,
    headless: true,
    viewport: { width: 1280, height: 900 },
    locale: 'en-GB',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  return {
    context,
    async close() {
      await context.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
