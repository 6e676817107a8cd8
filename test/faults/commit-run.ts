import { fileURLToPath } from 'node:url';
import { memory } from '@mca/core/adapters/memory';
import { killLoop, seededRandom } from '@mca/core/testing';
import { isPostgres, openFaultStore, type StorePlace } from '../support/fault-store.ts';
import { WORKER_ENV } from '../support/worker-env.ts';
import type { CommitVariant } from './commit-mutants.ts';
import { IMPORT_ID, PAGES, referencePage, referenceProgress } from './reference-pages.ts';

const WORKER = fileURLToPath(new URL('commit-worker.ts', import.meta.url));
/** Kills come at random within this after a process's first page; a whole run takes some twenty times as long. */
const KILL_WITHIN_MS = { SQLite: 16, Postgres: 40 };

/** How {@link runKills} kills. */
export interface KillPlan {
  readonly place: StorePlace;
  readonly variant: CommitVariant;
  readonly kills: number;
  readonly seed: number;
  /** Reference runs at the same time, each on a store of its own. @default 1 */
  readonly lanes?: number | undefined;
}

/** What the store must look like after so many pages, and not otherwise. */
interface Expected {
  readonly rows: readonly string[];
  readonly counts: string;
}

/** What many kills did to the store. */
export interface KillReport {
  kills: number;
  runs: number;
  lost: number;
  duplicated: number;
  /** Items that belong to no page up to the cursor: later ones, or ones of a stale writer. */
  surplus: number;
  /** Stores whose cursor is ahead of their items. */
  cursorAhead: number;
  /** Stores whose import totals differ from those of the pages up to the cursor. */
  wrongCounts: number;
  corrupt: number;
  /** Committed pages at each kill. */
  readonly hits: number[];
}

/** Kills the commit worker until the kills are done, looking at the store after each of them and after each whole run. */
export async function runKills(plan: KillPlan): Promise<KillReport> {
  const expected = await expectedStates();
  const report: KillReport = {
    kills: 0,
    runs: 0,
    lost: 0,
    duplicated: 0,
    surplus: 0,
    cursorAhead: 0,
    wrongCounts: 0,
    corrupt: 0,
    hits: [],
  };
  // Kills that are done or under way.
  const budget = { left: plan.kills };
  async function lane(index: number): Promise<void> {
    const random = seededRandom(plan.seed + 1_000 * index);
    while (budget.left > 0 && !isCaught(plan.variant, report)) await runOnce(plan, budget, random, report, expected);
  }
  const lanes = await Promise.allSettled(Array.from({ length: plan.lanes ?? 1 }, (_, index) => lane(index)));
  for (const ended of lanes) if (ended.status === 'rejected') throw ended.reason;
  return report;
}

/** One reference sequence from its first page to its last, over as many killed processes as it takes. */
async function runOnce(
  { place, variant }: KillPlan,
  budget: { left: number },
  random: () => number,
  report: KillReport,
  expected: readonly Expected[],
): Promise<void> {
  const where = place.fresh();
  let lease = '';
  let mayKill = false;
  await killLoop({
    command: process.execPath,
    env: WORKER_ENV,
    args: () => ['--conditions=@mca/source', '--no-warnings', WORKER, where, variant, lease],
    rounds: 1_000,
    // Once there are enough kills, the run goes to its end.
    killAfterMs() {
      mayKill = budget.left > 0;
      if (!mayKill) return 60_000;
      budget.left -= 1;
      return random() * KILL_WITHIN_MS[place.name];
    },
    async onRound({ killed, exitCode, stdout, stderr }) {
      if (!killed && exitCode !== 0) throw new Error(`The worker failed: ${stderr}`);
      if (!killed && mayKill) budget.left += 1;
      lease = stdout.trim();
      const pages = await inspect(where, report, expected);
      if (!killed) {
        if (pages !== PAGES) throw new Error(`The worker ended after ${pages} pages.`);
        return 'stop';
      }
      report.kills += 1;
      report.hits.push(pages);
      return isCaught(variant, report) ? 'stop' : 'go on';
    },
  });
  report.runs += 1;
}

/** What is wrong with the stores, by name. */
export function problemsOf(report: KillReport) {
  const { lost, duplicated, surplus, cursorAhead, wrongCounts, corrupt } = report;
  return { lost, duplicated, surplus, cursorAhead, wrongCounts, corrupt };
}

/** A mutant has nothing more to prove once something is wrong; the real thing has to get through all kills. */
function isCaught(variant: CommitVariant, report: KillReport): boolean {
  return variant !== 'real' && Object.values(problemsOf(report)).some((count) => count > 0);
}

/** Everything in one statement: the server may still be busy with what a killed process sent. */
const LOOK = {
  SQLite: `SELECT (SELECT value FROM %cursors ORDER BY cursor_no DESC LIMIT 1) AS pages,
    (SELECT json_group_array(json_array(external_id, time_spent_ms)) FROM %items) AS items,
    (SELECT json_array(read, inserted, updated, unchanged) FROM %imports) AS counts,
    (SELECT integrity_check FROM pragma_integrity_check LIMIT 1) AS integrity`,
  Postgres: `SELECT (SELECT value FROM %cursors ORDER BY cursor_no DESC LIMIT 1) AS pages,
    (SELECT coalesce(json_agg(json_build_array(external_id, time_spent_ms)), '[]')::text FROM %items) AS items,
    (SELECT json_build_array(read, inserted, updated, unchanged)::text FROM %imports) AS counts, 'ok' AS integrity`,
};

interface Look {
  readonly pages: string | null;
  readonly items: string;
  readonly counts: string | null;
  readonly integrity: string;
}

/** Compares the store with what it must be after as many pages as its cursor says, and answers that number. */
async function inspect(where: string, report: KillReport, expected: readonly Expected[]): Promise<number> {
  const store = await openFaultStore(where, { max: 1 });
  try {
    const [seen] = await store.look<Look>(LOOK[isPostgres(where) ? 'Postgres' : 'SQLite']);
    if (!seen) throw new Error('unreachable');
    const pages = Number(seen.pages ?? 0);
    const { rows = [], counts = '' } = expected[pages] ?? {};
    const stored = JSON.parse(seen.items) as readonly [string, number][];
    const actual = stored.map(([externalId, timeSpentMs]) => rowText(externalId, timeSpentMs));
    const distinct = new Set(actual);
    const wanted = new Set(rows);
    const missing = rows.filter((row) => !distinct.has(row)).length;
    report.lost += missing;
    if (missing > 0) report.cursorAhead += 1;
    report.duplicated += actual.length - new Set(stored.map(([externalId]) => externalId)).size;
    report.surplus += [...distinct].filter((row) => !wanted.has(row)).length;
    if ((JSON.parse(seen.counts ?? '[0,0,0,0]') as readonly number[]).join(' ') !== counts) report.wrongCounts += 1;
    if (seen.integrity !== 'ok') report.corrupt += 1;
    return pages;
  } finally {
    await store.close();
  }
}

/** States of an uninterrupted run over the reference adapter, after 0, 1, 2 … pages. */
async function expectedStates(): Promise<readonly Expected[]> {
  const { storage } = memory();
  const { id } = await storage.ensureConnection({
    id: 'c',
    userId: 'ada',
    provider: 'spotify',
    kind: 'file',
    account: '',
  });
  const lease = await storage.acquireLease({ resource: 'r', owner: 'o', ttlMs: 1 });
  if (!lease) throw new Error('unreachable');
  const states: Expected[] = [{ rows: [], counts: countsText(undefined) }];
  const rows = new Map<string, string>();
  let sequence = 0;
  for (let page = 0; page < PAGES; page += 1) {
    const progress = referenceProgress(page + 1);
    await storage.commitPage({
      lease,
      connectionId: id,
      items: referencePage(page),
      policy: 'longest',
      import: progress,
    });
    for (const change of await storage.changes({ after: sequence, limit: 1_000 })) {
      sequence = change.sequence;
      if (change.type === 'stored') {
        const { externalId, timeSpentMs = 0 } = change.item;
        rows.set(externalId, rowText(externalId, timeSpentMs));
      }
    }
    const [record] = await storage.listImports({ userId: 'ada', id: IMPORT_ID });
    states.push({ rows: [...rows.values()], counts: countsText(record?.counts) });
  }
  return states;
}

function rowText(externalId: string, timeSpentMs: number): string {
  return `${externalId} ${timeSpentMs}`;
}

function countsText(counts: object | undefined): string {
  const { read = 0, inserted = 0, updated = 0, unchanged = 0 } = { ...counts } as Record<string, unknown>;
  return [read, inserted, updated, unchanged].join(' ');
}

/** Share of kills that hit between the first and the last commit, and a picture of where. */
export function histogram(hits: readonly number[]): { readonly between: number; readonly text: string } {
  const bins = Array.from({ length: 10 }, () => 0);
  for (const page of hits) {
    const bin = Math.min(9, Math.floor((page * 10) / PAGES));
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  const lines = bins.map((count, bin) => {
    const label = `${Math.ceil((bin * PAGES) / 10)}–${Math.ceil(((bin + 1) * PAGES) / 10) - 1}`.padStart(6);
    return `${label} ${String(count).padStart(5)} ${'█'.repeat(Math.ceil((count * 40) / Math.max(1, ...bins)))}`;
  });
  const between = hits.filter((page) => page > 0 && page < PAGES).length / Math.max(1, hits.length);
  return { between, text: lines.join('\n') };
}
