import { McaError } from '../contracts/errors.ts';
import type { WhyKept } from '../contracts/events.ts';
import type { ItemKey } from '../contracts/media-item.ts';
import type { SyncCounts, SyncStatus } from '../contracts/sync.ts';

/** Account of one sync. */
export interface SyncReport {
  readonly status: SyncStatus;
  readonly provider: string;
  /** Absent when the user has no such connection. */
  readonly connectionId?: string | undefined;
  readonly capability: string;
  /** `read = inserted + updated + unchanged + skipped + rejected`. */
  readonly counts: SyncCounts;
  /** Records left out, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Parked records, by reason. */
  readonly rejected: Readonly<Record<string, number>>;
  /** Committed pages. */
  readonly pages: number;
  /** Stretches that the service no longer tells of. An export fills them. */
  readonly gaps: readonly { readonly from: Date; readonly to: Date }[];
  /** Items dated in the future: stored, and not believed. */
  readonly futureDated: number;
  /** Items that the service no longer has. Services that do not tell leave it empty. */
  readonly removedUpstream: RemovedUpstream;
  /** The service has more; the next sync goes on with it. */
  readonly hasMore: boolean;
  /** Why nothing was done, when `skipped`. */
  readonly reason?:
    | 'not_connected'
    | 'needs_reauth'
    | 'disabled'
    | 'already_running'
    | 'rate_limited'
    | 'not_yet'
    | undefined;
  /** Earliest sensible next sync, when the service asked to wait. */
  readonly notBefore?: Date | undefined;
  /**
   * What went wrong. `partial_sync` when part is stored, with what stopped it as `reason` and `cause`; the error itself
   * when nothing is.
   */
  readonly error?: McaError | undefined;
  readonly durationMs: number;
}

/** What a sync stored before and the service no longer has. `count` is what was deleted and what was kept, together. */
export interface RemovedUpstream {
  /** Items found gone at the service. One that is kept is found again when the service tells once more what it has. */
  readonly count: number;
  /** The first 100 of them. */
  readonly keys: readonly ItemKey[];
  /** How many were deleted here. */
  readonly deleted: number;
  /** How many were not, by reason. */
  readonly kept: Readonly<Partial<Record<WhyKept, number>>>;
}

/** Keys that a report names. */
export const REMOVED_KEYS = 100;

/** Running totals of a sync. */
export class SyncLedger {
  #counts = { read: 0, inserted: 0, updated: 0, unchanged: 0 };
  readonly #skipped = new Map<string, number>();
  readonly #rejected = new Map<string, number>();
  readonly #gaps: { readonly from: Date; readonly to: Date }[] = [];
  readonly #kept = new Map<string, number>();
  #removed = { count: 0, deleted: 0 };
  #removedKeys: readonly ItemKey[] = [];
  pages = 0;
  futureDated = 0;

  /** Takes over what a committed page held and changed. */
  add(page: {
    readonly read: number;
    readonly skipped: Readonly<Record<string, number>>;
    readonly rejected: readonly { readonly reason: string }[];
    readonly futureDated: number;
    readonly stored: { readonly inserted: number; readonly updated: number; readonly unchanged: number };
    readonly gap: { readonly from: number; readonly to: number } | undefined;
  }): void {
    const { stored } = page;
    this.#counts = {
      read: this.#counts.read + page.read,
      inserted: this.#counts.inserted + stored.inserted,
      updated: this.#counts.updated + stored.updated,
      unchanged: this.#counts.unchanged + stored.unchanged,
    };
    for (const [reason, count] of Object.entries(page.skipped)) addTo(this.#skipped, reason, count);
    for (const { reason } of page.rejected) addTo(this.#rejected, reason, 1);
    if (page.gap) this.#gaps.push({ from: new Date(page.gap.from), to: new Date(page.gap.to) });
    this.futureDated += page.futureDated;
    this.pages += 1;
  }

  /** Takes over what was found gone at the service. */
  addRemoved({ count, keys, kept }: Omit<RemovedUpstream, 'deleted'>): void {
    this.#removed.count += count;
    this.#removedKeys = [...this.#removedKeys, ...keys].slice(0, REMOVED_KEYS);
    for (const [reason, items] of Object.entries(kept)) addTo(this.#kept, reason, items);
  }

  /** One of them was deleted here. */
  countDeleted(): void {
    this.#removed.deleted += 1;
  }

  counts(): SyncCounts {
    return { ...this.#counts, skipped: sum(this.#skipped), rejected: sum(this.#rejected) };
  }

  /** The part of a report that is sums. */
  totals(): Pick<SyncReport, 'counts' | 'skipped' | 'rejected' | 'pages' | 'gaps' | 'futureDated' | 'removedUpstream'> {
    return {
      counts: this.counts(),
      skipped: Object.fromEntries(this.#skipped),
      rejected: Object.fromEntries(this.#rejected),
      pages: this.pages,
      gaps: [...this.#gaps],
      futureDated: this.futureDated,
      removedUpstream: { ...this.#removed, keys: this.#removedKeys, kept: Object.fromEntries(this.#kept) },
    };
  }
}

/** How a sync ended, from what it stored and what stopped it. */
export function outcomeOf(
  ledger: SyncLedger,
  stopped: McaError | undefined,
  provider: string,
): { readonly status: SyncStatus; readonly error: McaError | undefined } {
  const { counts, gaps } = ledger.totals();
  if (stopped?.code === 'cancelled') return { status: 'cancelled', error: stopped };
  if (stopped) {
    if (ledger.pages > 0)
      return { status: 'partial', error: partial(provider, stopped.reason ?? stopped.code, stopped) };
    // Waiting because a service asked for it is no failure.
    return { status: stopped.code === 'rate_limit' ? 'skipped' : 'failed', error: stopped };
  }
  if (gaps.length > 0) return { status: 'partial', error: partial(provider, 'coverage_gap') };
  if (counts.rejected > 0) return { status: 'partial', error: partial(provider, 'rejected_records') };
  return { status: 'complete', error: undefined };
}

const HINTS: Readonly<Record<string, string>> = {
  coverage_gap: 'The service keeps too little to catch up: sync more often, and import an export to fill the gap.',
  rejected_records: 'See listParked; replayParked takes them in after a fix.',
};

function partial(provider: string, reason: string, cause?: McaError): McaError {
  return new McaError({
    code: 'partial_sync',
    reason,
    provider,
    message: cause ? `The sync stopped half-way: ${cause.message}` : 'Not everything could be stored.',
    hint: HINTS[reason] ?? 'What arrived is stored; the next sync goes on from there.',
    retryable: cause?.retryable ?? false,
    retryAfterMs: cause?.retryAfterMs,
    cause,
  });
}

function addTo(counts: Map<string, number>, reason: string, count: number): void {
  counts.set(reason, (counts.get(reason) ?? 0) + count);
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}
