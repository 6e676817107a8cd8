import { fileURLToPath } from 'node:url';
import type { Connection } from '@mca/core';
import { createFakeOAuthServer, killLoop, seededRandom } from '@mca/core/testing';
import { expect, test } from 'vitest';
import { TokenKeeper } from '../../src/auth/refresh-tokens.ts';
import type { RewrapReport } from '../../src/auth/rewrap.ts';
import { providerOf, strategyOf } from '../../src/auth/strategies.ts';
import { vaultOf } from '../../src/auth/vault.ts';
import type { StorePlace } from '../support/fault-store.ts';
import { recordFigure } from '../support/reliability.ts';
import { WORKER_ENV } from '../support/worker-env.ts';
import { openProcess, type ProcessOptions, storeEnded } from './refresh-setup.ts';

const WORKER = fileURLToPath(new URL('rewrap-worker.ts', import.meta.url));
const never = new AbortController().signal;

/** How much of {@link rewrapKillSuite} runs. */
export interface RewrapCounts {
  readonly count: number;
  readonly kills: number;
  /** From a process's start to its kill, at most. */
  readonly withinMs: number;
}

/** Moving all credentials to a new key in processes that are killed. */
export function rewrapKillSuite(place: StorePlace, { count, kills, withinMs }: RewrapCounts): void {
  const { name } = place;

  test(`R-024 ${count} credentials on ${name}, ${kills} kills, refreshes all the while: all open, none is stale`, async () => {
    const oauth = createFakeOAuthServer();
    const options: ProcessOptions = { where: place.fresh(), origin: await oauth.listen(), primary: 'k1' };
    const random = seededRandom(24);
    const opened: Awaited<ReturnType<typeof openProcess>>[] = [];
    const open = async (more: Partial<ProcessOptions> = {}) => {
      const registry = await openProcess({ ...options, ...more });
      opened.push(registry);
      return registry;
    };
    try {
      const old = await open();
      await old.ready();
      const connections: Connection[] = [];
      // Several at once: a server answers from afar.
      for (let first = 0; first < count; first += 8) {
        const ids = Array.from({ length: Math.min(8, count - first) }, (_, index) => first + index);
        const stored = ids.map((index) => storeEnded(old, `c${String(index).padStart(5, '0')}`, oauth.grant()));
        connections.push(...(await Promise.all(stored)));
      }
      // Hosts that run on, some with the old key still.
      const hosts = [old, await open({ primary: 'k2' })];
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
        env: WORKER_ENV,
        args,
        rounds: kills,
        killAfterMs: () => random() * withinMs,
        onRound: (round) => {
          expect(round.stderr).toBe('');
          killed += round.killed ? 1 : 0;
          return undefined;
        },
      });
      isOver = true;
      await refreshing;
      const last = await rewrapAll({ ...options, primary: 'k2' });
      expect(last).toMatchObject({ read: count, failed: 0, gone: 0 });
      expect(last.rewrapped + last.current).toBe(count);
      // Only the new key is left.
      const fresh = await open({ primary: 'k2', onlyPrimary: true });
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
      expect(refreshes).toBeGreaterThan(kills);
      // A whole turn in one go, for its speed: back to the old key.
      const rates = await rewrapAll({ ...options, primary: 'k1' });
      expect(rates.rewrapped).toBe(count);
      const perSecond = Math.round((rates.rewrapped / rates.ms) * 1_000);
      recordFigure(
        'R-024',
        `${name}, ${count} credentials, ${killed} kills, ${refreshes} refreshes meanwhile: ${unreadable} unreadable, ${stale} stale; ${perSecond} rows/s`,
      );
    } finally {
      await oauth.close();
      for (const each of opened) await each.closeStore();
      await place.clear();
    }
  });
}

async function rewrapAll(options: ProcessOptions): Promise<RewrapReport & { readonly ms: number }> {
  let report = '';
  await killLoop({
    command: process.execPath,
    env: WORKER_ENV,
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
