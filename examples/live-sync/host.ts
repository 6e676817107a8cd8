// Connects an account and brings its history home: `host.ts connect` once, then `host.ts` as often as you like.
import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { beginConnect, continueConnect, createRegistry, keyRing, syncHistory, timeline } from '@mca/core';
import { sqlite } from '@mca/core/adapters/sqlite';
import { openBrowser } from './browser.ts';
import { drawReport, drawYears, progressBar } from './screen.ts';
import { songbook } from './songbook.ts';

const registry = createRegistry({
  providers: [songbook({ url: process.env.SONGBOOK_URL })],
  ...sqlite({ database: new DatabaseSync(process.env.DATABASE ?? 'live-sync.db') }),
  keys: keyRing({ primary: 'k1', keys: { k1: process.env.MCA_KEY } }),
});
const account = { userId: 'ana', provider: 'songbook' } as const;

if (process.argv[2] === 'connect') {
  const { redirectUri, visit } = await openBrowser();
  const flow = { ...account, redirectUri, sessionBinding: randomUUID() };
  const step = await beginConnect(registry, flow);
  if (step.step === 'redirect') await continueConnect(registry, { ...flow, query: await visit(step.url) });
}

const bar = progressBar('songbook');
const report = await syncHistory(registry, { ...account, onProgress: bar.show });
bar.clear();
drawReport(report);
drawYears(await timeline(registry, { userId: account.userId, by: 'year' }));
await registry.close();
