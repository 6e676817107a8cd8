import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Connection } from '@mca/core';
import { createFakeOAuthServer, killLoop, seededRandom } from '@mca/core/testing';
import { expect, test } from 'vitest';
import { TokenKeeper } from '../../src/auth/refresh-tokens.ts';
import type { RewrapReport } from '../../src/auth/rewrap.ts';
import { providerOf, strategyOf } from '../../src/auth/strategies.ts';
import { vaultOf } from '../../src/auth/vault.ts';
import { recordFigure } from '../support/reliability.ts';
import { openProcess, type ProcessOptions, storeEnded } from './refresh-setup.ts';

const isFull = process.env.MCA_TEST_FULL === '1';
const CREDENTIALS = isFull ? 10_000 : 600;
const KILLS = isFull ? 50 : 5;
const WORKER = fileURLToPath(new URL('rewrap-worker.ts', import.meta.url));
const never = new AbortController().signal;

test(`R-024 ${CREDENTIALS} credentials, ${KILLS} kills, refreshes all the while: all open, none is stale`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mca-rewrap-'));
  const oauth = createFakeOAuthServer();
  const options: ProcessOptions = { file: join(folder, 'store.db'), origin: await oauth.listen(), primary: 'k1' };
  const random = seededRandom(24);
  try {
    const old = openProcess(options);
    await old.ready();
    const connections: Connection[] = [];
    for (let index = 0; index < CREDENTIALS; index += 1) {
      connections.push(await storeEnded(old, `c${String(index).padStart(5, '0')}`, oauth.grant()));
    }
    // Hosts that run on, some with the old key still.
    const hosts = [old, openProcess({ ...options, primary: 'k2' })];
    let refreshes = 0;
    let isOver = false;
    async function keepRefreshing(): Promise<void> {
      while (!isOver) {
        const registry = hosts[refreshes % 2] ?? old;
        const connection = connections[Math.floor(random() * connections.length)];
        const provider = providerOf(registry, 'fake');
        if (!connection) throw new Error('There should be connections.');
        const keeper = new TokenKeeper(registry, connection, provider, strategyOf(provider, 'oauth2'));
        const { credentials } = await keeper.fresh(never);
        await keeper.fresh(never, credentials.accessToken);
        refreshes += 1;
        await new Promise((wake) => setTimeout(wake, 2));
      }
    }
    const refreshing = keepRefreshing();
    const args = ['--conditions=@mca/source', '--no-warnings', WORKER, JSON.stringify({ ...options, primary: 'k2' })];
    let killed = 0;
    await killLoop({
      command: process.execPath,
      args,
      rounds: KILLS,
      killAfterMs: () => random() * (isFull ? 120 : 60),
      onRound: (round) => {
        expect(round.stderr).toBe('');
        killed += round.killed ? 1 : 0;
        return undefined;
      },
    });
    isOver = true;
    await refreshing;
    const last = await rewrapAll({ ...options, primary: 'k2' });
    expect(last).toMatchObject({ read: CREDENTIALS, failed: 0, gone: 0 });
    expect(last.rewrapped + last.current).toBe(CREDENTIALS);
    // Only the new key is left.
    const fresh = openProcess({ ...options, primary: 'k2', onlyPrimary: true });
    let unreadable = 0;
    let stale = 0;
    for (const [index, connection] of connections.entries()) {
      const stored = await vaultOf(fresh)
        .read(connection)
        .catch(() => undefined);
      if (stored?.credentials.kind !== 'oauth') unreadable += 1;
      else if (!stored.credentials.refreshToken?.is(oauth.grants[index]?.refreshToken ?? '')) stale += 1;
    }
    expect([unreadable, stale]).toEqual([0, 0]);
    expect(oauth.calls.filter(({ outcome }) => outcome !== 'granted')).toEqual([]);
    expect(refreshes).toBeGreaterThan(KILLS);
    // A whole turn in one go, for its speed: back to the old key.
    const rates = await rewrapAll({ ...options, primary: 'k1' });
    expect(rates.rewrapped).toBe(CREDENTIALS);
    const perSecond = Math.round((rates.rewrapped / rates.ms) * 1_000);
    recordFigure(
      'R-024',
      `${CREDENTIALS} credentials, ${killed} kills, ${refreshes} refreshes meanwhile: ${unreadable} unreadable, ${stale} stale; ${perSecond} rows/s on SQLite`,
    );
  } finally {
    await oauth.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

async function rewrapAll(options: ProcessOptions): Promise<RewrapReport & { readonly ms: number }> {
  let report = '';
  await killLoop({
    command: process.execPath,
    args: ['--conditions=@mca/source', '--no-warnings', WORKER, JSON.stringify(options)],
    rounds: 1,
    killAfterMs: () => 600_000,
    onRound: ({ stdout }) => {
      report = stdout.split('\n')[1] ?? '';
      return undefined;
    },
  });
  return JSON.parse(report);
}
