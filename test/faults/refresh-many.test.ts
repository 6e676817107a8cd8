import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFakeOAuthServer, type FakeOAuthServer, seededRandom } from '@mca/core/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AnyRegistry } from '../../src/registry/create-registry.ts';
import { recordFigure } from '../support/reliability.ts';
import { openProcess, type ProcessOptions, storeEnded } from './refresh-setup.ts';

const isFull = process.env.MCA_TEST_FULL === '1';
const PROCESSES = 4;
const CALLS = 25;
const ROUNDS = isFull ? 100 : 15;
// Each takes its seconds: all 500 are for the soak.
const SCHEDULES = process.env.MCA_TEST_SOAK === '1' ? 500 : isFull ? 100 : 10;
// Faster, and the pauses of a busy machine count for more than the time-outs they are compared with.
const SPEED = 10;
const WORKER = fileURLToPath(new URL('refresh-worker.ts', import.meta.url));

let folder = '';
let oauth: FakeOAuthServer;
let registry: AnyRegistry;
let children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mca-refresh-'));
});

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
  rmSync(folder, { recursive: true, force: true });
});

async function startAll(extra: Partial<ProcessOptions> = {}): Promise<void> {
  const origin = await oauth.listen();
  const options: ProcessOptions = { file: join(folder, 'store.db'), origin, primary: 'k1', ...extra };
  registry = openProcess(options);
  await registry.ready();
  children = Array.from({ length: PROCESSES }, (_, index) =>
    fork(WORKER, [JSON.stringify({ ...options, name: String(index) })], {
      execArgv: ['--conditions=@mca/source', '--no-warnings'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    }),
  );
  await Promise.all(children.map((child) => message(child, (each) => each === 'ready')));
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

async function askAll(connectionId: string, calls: number, pausing = false): Promise<string[]> {
  const answers = children.map((child) => message<{ answers: string[] }>(child, isAnswer));
  for (const child of children) child.send({ connectionId, calls, pausing });
  return (await Promise.all(answers)).flatMap(({ answers: each }) => each);
}

describe(`${PROCESSES} processes on one SQLite file`, () => {
  test(`R-002 all want an ended token renewed, ${ROUNDS} times: one request each time`, async () => {
    oauth = createFakeOAuthServer();
    await startAll();
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id } = await storeEnded(registry, `c${round}`, oauth.grant());
      const answers = await askAll(id, CALLS);
      expect(new Set(answers)).toEqual(new Set([oauth.grants[round]?.accessToken]));
      expect(answers).toHaveLength(PROCESSES * CALLS);
    }
    const outcomes = oauth.calls.map(({ outcome }) => outcome);
    expect(outcomes).toEqual(Array(ROUNDS).fill('granted'));
    recordFigure(
      'R-002',
      `${PROCESSES} processes x ${CALLS} calls, ${ROUNDS} rounds on SQLite: ${outcomes.length} token requests, 0 invalid_grant`,
    );
  });

  test(`R-003 slow services and stopped holders, ${SCHEDULES} schedules: one call at a time, no family revoked`, async () => {
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
    await startAll({ speed: SPEED, since: Date.now() });
    const kinds = { served: 0, 'upstream timeout': 0 };
    for (let schedule = 0; schedule < SCHEDULES; schedule += 1) {
      const { id } = await storeEnded(registry, `s${schedule}`, oauth.grant());
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
    expect(stops).toBeGreaterThan(SCHEDULES / 6);
    expect(kinds.served).toBeGreaterThan(SCHEDULES);
    recordFigure(
      'R-003',
      `${SCHEDULES} schedules (delays 0-40 s, SIGSTOP up to past the TTL, time x ${SPEED}): at most ${most} call at once, 0 families revoked`,
    );
  });
});

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
