import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createFakeOAuthServer, type FakeOAuthServer, seededRandom } from '@mca/core/testing';
import { afterEach, describe, expect, test } from 'vitest';
import type { AnyRegistry } from '../../src/registry/create-registry.ts';
import { type StorePlace, setDatabaseClock } from '../support/fault-store.ts';
import { recordFigure } from '../support/reliability.ts';
import { WORKER_ENV } from '../support/worker-env.ts';
import { openProcess, type ProcessOptions, quickTime, storeEnded } from './refresh-setup.ts';

const PROCESSES = 4;
const CALLS = 25;
// Faster, and the pauses of a busy machine count for more than the time-outs they are compared with.
const SPEED = 10;
const WORKER = fileURLToPath(new URL('refresh-worker.ts', import.meta.url));

/** Many processes that want a good token of the same connection at the same time. */
export function refreshManySuite(
  place: StorePlace,
  { rounds, schedules }: { readonly rounds: number; readonly schedules: number },
): void {
  const { name } = place;
  let oauth: FakeOAuthServer;
  let registry: Awaited<ReturnType<typeof openProcess>> | undefined;
  let children: ChildProcess[] = [];

  afterEach(async () => {
    const running = children.filter((child) => child.exitCode === null && child.signalCode === null);
    children = [];
    await Promise.all(
      running.map((child) => {
        child.kill('SIGKILL');
        return once(child, 'exit');
      }),
    );
    await oauth.close();
    await registry?.closeStore();
    registry = undefined;
    await place.clear();
  });

  async function startAll(extra: Partial<ProcessOptions> = {}): Promise<AnyRegistry> {
    const origin = await oauth.listen();
    const options: ProcessOptions = { where: place.fresh(), origin, primary: 'k1', ...extra };
    registry = await openProcess(options);
    await registry.ready();
    if (extra.speed) await setDatabaseClock(options.where, quickTime(extra));
    children = Array.from({ length: PROCESSES }, (_, index) =>
      fork(WORKER, [JSON.stringify({ ...options, name: String(index) })], {
        execArgv: ['--conditions=@mca/source', '--no-warnings'],
        env: WORKER_ENV,
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      }),
    );
    await Promise.all(children.map((child) => message(child, (each) => each === 'ready')));
    return registry;
  }

  async function askAll(connectionId: string, calls: number, pausing = false): Promise<string[]> {
    const answers = children.map((child) => message<{ answers: string[] }>(child, isAnswer));
    for (const child of children) child.send({ connectionId, calls, pausing });
    return (await Promise.all(answers)).flatMap(({ answers: each }) => each);
  }

  describe(`${PROCESSES} processes on one store of ${name}`, () => {
    test(`R-002 all want an ended token on ${name} renewed, ${rounds} times: one request each time`, async () => {
      oauth = createFakeOAuthServer();
      const here = await startAll();
      for (let round = 0; round < rounds; round += 1) {
        const { id } = await storeEnded(here, `c${round}`, oauth.grant());
        const answers = await askAll(id, CALLS);
        expect(new Set(answers)).toEqual(new Set([oauth.grants[round]?.accessToken]));
        expect(answers).toHaveLength(PROCESSES * CALLS);
      }
      const outcomes = oauth.calls.map(({ outcome }) => outcome);
      expect(outcomes).toEqual(Array(rounds).fill('granted'));
      recordFigure(
        'R-002',
        `${PROCESSES} processes x ${CALLS} calls, ${rounds} rounds on ${name}: ${outcomes.length} token requests, 0 invalid_grant`,
      );
    });

    test(`R-002 processes on ${name} that do not wait for one another are caught`, async () => {
      oauth = createFakeOAuthServer();
      const here = await startAll({ unlocked: true });
      const { id } = await storeEnded(here, 'c', oauth.grant());
      await askAll(id, 1);
      expect(oauth.calls.length).toBeGreaterThan(1);
    });

    test(`R-003 slow services and stopped holders on ${name}, ${schedules} schedules: one call at a time, no family revoked`, async () => {
      oauth = createFakeOAuthServer();
      const random = seededRandom(3);
      const under = new Map<string, number>();
      let most = 0;
      let delayMs = 0;
      let stopMs = 0;
      let stops = 0;
      oauth.behaviour.beforeToken = async (form, request) => {
        const family = form.get('refresh_token') ?? '';
        under.set(family, (under.get(family) ?? 0) + 1);
        most = Math.max(most, under.get(family) ?? 0);
        const child = children[Number(request.headers.get('x-process'))];
        if (stopMs > 0 && child) {
          stops += 1;
          child.kill('SIGSTOP');
          setTimeout(() => child.kill('SIGCONT'), stopMs);
        }
        await wait(delayMs, request.signal);
        under.set(family, (under.get(family) ?? 0) - 1);
      };
      // Time runs faster here, and a case above shows the same at its real pace.
      const here = await startAll({ speed: SPEED, since: Date.now() });
      const kinds = { served: 0, 'upstream timeout': 0 };
      for (let schedule = 0; schedule < schedules; schedule += 1) {
        const { id } = await storeEnded(here, `s${schedule}`, oauth.grant());
        // Up to 40 seconds of the service's, of which the client waits for 15.
        delayMs = (random() ** 2 * 40_000) / SPEED;
        // Long stops are rarer: each takes more than a lease lasts.
        const kind = schedule % 10 === 2 ? 2 : schedule % 2;
        // Stopped during the call for as long as a lease lasts at the least: half of it, less what the call took.
        stopMs = kind === 1 ? (random() * 25_000) / SPEED : 0;
        const isPausing = kind === 2;
        const stopped = children.map((child) => (isPausing ? stopForLong(child) : undefined));
        const answers = await askAll(id, 1, isPausing);
        for (const end of stopped) end?.();
        const token = oauth.grants[schedule]?.accessToken;
        for (const answer of answers) {
          const outcome = answer === token ? 'served' : answer;
          if (outcome !== 'served' && outcome !== 'upstream timeout') throw new Error(`A caller got: ${outcome}`);
          kinds[outcome] += 1;
        }
        expect(oauth.grants[schedule]?.revoked, `schedule ${schedule}`).toBe(false);
      }
      expect(most).toBe(1);
      expect(oauth.calls.filter(({ outcome }) => outcome === 'invalid_grant')).toEqual([]);
      expect(stops).toBeGreaterThan(schedules / 6);
      expect(kinds.served).toBeGreaterThan(schedules);
      recordFigure(
        'R-003',
        `${name}, ${schedules} schedules (delays 0-40 s, SIGSTOP up to past the TTL, time x ${SPEED}): at most ${most} call at once, 0 families revoked`,
      );
    });
  });
}

/** The next message that fits; the death of the process is a failure, not a wait without end. */
function message<Message>(child: ChildProcess, fits: (message: unknown) => boolean): Promise<Message> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`A worker ended with ${code}.`));
    const onMessage = (received: unknown): void => {
      if (!fits(received)) return;
      child.off('exit', onExit);
      child.off('message', onMessage);
      resolve(received as Message);
    };
    child.once('exit', onExit);
    child.on('message', onMessage);
  });
}

const isAnswer = (received: unknown): boolean => typeof received === 'object';

/** The first process that says it has the lease is stopped until long after the lease has ended. */
function stopForLong(child: ChildProcess): () => void {
  const onMessage = (received: unknown): void => {
    if (received !== 'pause me') return;
    child.kill('SIGSTOP');
    setTimeout(() => child.kill('SIGCONT'), 75_000 / SPEED);
  };
  child.on('message', onMessage);
  return () => child.off('message', onMessage);
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
