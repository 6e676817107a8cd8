import { checkCredentials } from '../auth/check-credentials.ts';
import { httpStateOf } from '../auth/service-time.ts';
import { INCREMENTAL_NAMES } from '../contracts/capabilities/index.ts';
import { McaError } from '../contracts/errors.ts';
import type { BacklogHealth, HealthReport, PartHealth } from '../contracts/health.ts';
import type { SyncBacklog } from '../contracts/storage/index.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { cancelledBy, throwIfAborted } from '../runtime/sleep.ts';
import { VERSION } from './version.ts';

/** Options of {@link checkHealth}. */
export interface HealthOptions {
  /** What does not answer for so long counts as away, in milliseconds. @default 5,000 */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const TIMEOUT_MS = 5_000;

/**
 * Says whether everything that syncs need is there: storage, credential store, key, services; and what waits. All parts
 * are looked at together, so that it takes `timeoutMs` at most. Opens one stored credential, or seals and opens a trial
 * key: with a key service that is a call or two.
 *
 * @throws McaError `cancelled` when the signal fires. Never for a part that is down: that is what the report is for
 * @example
 * ```ts
 * const health = await checkHealth(registry);
 * response.status(health.status === 'down' ? 503 : 200).json(health);
 * ```
 */
export async function checkHealth(registry: AnyRegistry, options: HealthOptions = {}): Promise<HealthReport> {
  const { signal = new AbortController().signal, timeoutMs = TIMEOUT_MS } = options;
  throwIfAborted(signal);
  const within = <Answer>(work: () => Promise<Answer>) => inTime(registry, { work, timeoutMs, signal });
  const [stored, backlog, credentials] = await Promise.all([
    within(() => askStorage(registry)),
    within(() => readBacklog(registry)),
    registry.credentials && logsIn(registry) ? within(() => checkCredentials(registry)) : undefined,
  ]);
  const circuits = httpStateOf(registry).openCircuits();
  const isClosed = registry.access.closing.aborted;
  const reasons = [
    ...(isClosed ? ['closed'] : []),
    ...failureOf('storage', stored.health),
    // Slow, perhaps, because there is so much to do: nobody should be restarted for that.
    ...(stored.health.ok ? failureOf('backlog', backlog.health) : []),
    ...failureOf('credentials', credentials?.health),
    ...circuits.map(({ provider }) => `circuit_open:${provider}`),
  ];
  const isDown = isClosed || !stored.health.ok;
  return {
    status: isDown ? 'down' : reasons.length > 0 ? 'degraded' : 'ok',
    reasons,
    version: VERSION,
    storage: stored.health,
    ...(credentials && { credentials: credentials.health }),
    ...(backlog.answer && { backlog: backlogOf(backlog.answer, registry.env.clock.now()) }),
    circuits,
  };
}

/** The least that can be asked: of a connection that does not exist. */
async function askStorage(registry: AnyRegistry): Promise<void> {
  await registry.ready();
  await registry.storage.readSchedules('');
}

function readBacklog(registry: AnyRegistry): Promise<SyncBacklog> {
  const able = registry.list().filter(({ capabilities }) => INCREMENTAL_NAMES.some((name) => capabilities[name]));
  return registry.ready().then(() => registry.storage.readBacklog({ providers: able.map(({ id }) => id) }));
}

function backlogOf({ due, oldestDueAt, running }: SyncBacklog, now: number): BacklogHealth {
  // The storage goes by a clock of its own, which may be a little ahead.
  return { due, oldestOverdueMs: oldestDueAt === undefined ? 0 : Math.max(0, now - oldestDueAt), running };
}

function logsIn(registry: AnyRegistry): boolean {
  return registry.list().some(({ auth }) => auth.some(({ type }) => type !== 'file-import' && type !== 'none'));
}

function failureOf(part: string, health: PartHealth | undefined): readonly string[] {
  return !health || health.ok ? [] : [`${part}:${health.reason ?? health.code}`];
}

interface Timed<Answer> {
  readonly health: PartHealth;
  readonly answer?: Answer;
}

/** What a part answers, or why it does not. What is too slow is left behind; it cannot be stopped. */
function inTime<Answer>(
  { env }: AnyRegistry,
  part: { work(): Promise<Answer>; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Timed<Answer>> {
  const { work, timeoutMs, signal } = part;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      takeBack();
      reject(cancelledBy(signal));
    };
    const end = (timed: Timed<Answer>): void => {
      takeBack();
      signal.removeEventListener('abort', onAbort);
      resolve(timed);
    };
    const takeBack = env.timers.after(timeoutMs, () =>
      end({ health: { ok: false, code: 'storage', reason: 'timeout' } }),
    );
    signal.addEventListener('abort', onAbort, { once: true });
    start(work).then(
      (answer) => end({ health: { ok: true }, answer }),
      (error: unknown) => end({ health: { ok: false, ...nameOf(error) } }),
    );
  });
}

/** An adapter that throws before its first `await` is down as well. */
async function start<Answer>(work: () => Promise<Answer>): Promise<Answer> {
  return await work();
}

/** Code and reason only: messages of databases quote what they were asked. */
function nameOf(error: unknown): Pick<PartHealth, 'code' | 'reason'> {
  if (!McaError.isInstance(error)) return { code: 'storage', reason: 'failed' };
  return { code: error.code, ...(error.reason !== undefined && { reason: error.reason }) };
}
