import { fileURLToPath } from 'node:url';
import { createFakeOAuthServer, killLoop, seededRandom } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { vaultOf } from '../../src/auth/vault.ts';
import type { StorePlace } from '../support/fault-store.ts';
import { recordFigure } from '../support/reliability.ts';
import { WORKER_ENV } from '../support/worker-env.ts';
import { openProcess, type ProcessOptions, storeEnded } from './refresh-setup.ts';

const WORKER = fileURLToPath(new URL('refresh-kill-worker.ts', import.meta.url));

interface Outcome {
  /** Rows whose tokens are older than some that served a call of the API. */
  stale: number;
  /** Rounds after which the user was asked to connect again. */
  asked: number;
  /** Most refusals that one process met: more than one would be a loop. It may be killed before it stores the first. */
  mostRefusals: number;
  renewals: number;
}

/** In which order the fake service gave a token out. */
const orderOf = (token: string): number => Number(token.split('-')[1]);

async function killRefreshes(place: StorePlace, variant: 'real' | 'naive', rounds: number): Promise<Outcome> {
  const oauth = createFakeOAuthServer();
  const options: ProcessOptions = {
    where: place.fresh(),
    origin: await oauth.listen(),
    primary: 'k1',
    // Whoever was killed holds its lease for so long.
    lease: { ttlMs: 250, renewMs: 80 },
  };
  const registry = await openProcess(options);
  await registry.ready();
  let connection = await storeEnded(registry, 'c', oauth.grant());
  const random = seededRandom(9);
  let callsBefore = 0;
  const outcome: Outcome = { stale: 0, asked: 0, mostRefusals: 0, renewals: 0 };
  try {
    await killLoop({
      command: process.execPath,
      env: WORKER_ENV,
      args: ['--conditions=@mca/source', '--no-warnings', WORKER, JSON.stringify(options), variant],
      rounds,
      // The first renewal of a process waits for the lease of the one that was killed before.
      killAfterMs: () => 200 + random() * 250,
      async onRound({ stdout, stderr }) {
        expect(stderr).toBe('');
        const refusals = oauth.calls.slice(callsBefore).filter(({ outcome: each }) => each === 'invalid_grant');
        outcome.mostRefusals = Math.max(outcome.mostRefusals, refusals.length);
        callsBefore = oauth.calls.length;
        const grant = oauth.grants.at(-1);
        const stored = (await vaultOf(registry).read(connection))?.credentials;
        if (stored?.kind !== 'oauth' || !grant) throw new Error('No tokens are stored.');
        const served = oauth.calls
          .filter(({ endpoint }) => endpoint === 'me')
          .map(({ authorization }) => (authorization ?? '').replace('Bearer ', ''))
          .filter((token) => grant.accessTokens.has(token));
        const newest = Math.max(0, ...served.map(orderOf));
        if (orderOf(stored.accessToken.reveal()) < newest) outcome.stale += 1;
        const ended = /ended: (.*)/.exec(stdout)?.[1];
        if (variant === 'naive' && outcome.stale > 0) return 'stop';
        if (ended === undefined) return undefined;
        // Killed between answer and commit: the next process is refused, and says so.
        if (variant === 'real') expect(ended).toMatch(/^auth_expired /);
        const [current] = await registry.storage.listConnections({ id: 'c' });
        if (variant === 'real') expect(current?.status).toBe('needs_reauth');
        outcome.asked += 1;
        connection = await storeEnded(registry, 'c', oauth.grant());
        await registry.storage.updateConnection('c', { status: 'active', statusReason: null });
        return undefined;
      },
    });
    outcome.renewals = oauth.calls.filter(
      ({ endpoint, outcome: each }) => endpoint === 'token' && each === 'granted',
    ).length;
    return outcome;
  } finally {
    await oauth.close();
    await registry.closeStore();
    await place.clear();
  }
}

/** Processes that are killed while they renew tokens. */
export function refreshKillSuite(place: StorePlace, rounds: number): void {
  const { name } = place;

  describe('a process that is killed while it refreshes', () => {
    test(`R-009 ${rounds} kills on ${name}: no token serves before it is stored, and nobody loops`, async () => {
      const { stale, asked, mostRefusals, renewals } = await killRefreshes(place, 'real', rounds);
      expect(stale).toBe(0);
      expect(mostRefusals).toBeLessThanOrEqual(1);
      expect(renewals).toBeGreaterThan(rounds);
      recordFigure(
        'R-009',
        `${name}, ${rounds} kills during ${renewals} refreshes: ${stale} rows older than what served, ${asked} asked to connect again, at most ${mostRefusals} refused call per process`,
      );
    });

    test(`R-009 calling before storing on ${name} is caught`, async () => {
      // Most of the kills miss the moment between call and store: as many as it takes.
      const { stale } = await killRefreshes(place, 'naive', 200);
      expect(stale).toBeGreaterThan(0);
    });
  });
}
