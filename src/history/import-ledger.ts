import type { ImportBatch, RejectedRecord } from '../contracts/capabilities/file-import.ts';
import type { ImportCounts } from '../contracts/import-record.ts';
import type { MediaItem, MediaType } from '../contracts/media-item.ts';
import type { ImportProgress, PageResult } from '../contracts/storage/index.ts';
import { trackCoverage } from './coverage.ts';
import {
  addReasons,
  type FileReport,
  type ImportReport,
  PREVIEW_ITEMS,
  REJECTIONS_KEPT,
  sumReasons,
} from './import-report.ts';

/** What was read but not committed yet. */
interface Page {
  items: MediaItem[];
  read: number;
  skipped: Record<string, number>;
  rejections: RejectedRecord[];
}

/** The account of an import. Records count when their page is committed, so that it balances however the import ends. */
export interface ImportLedger {
  /** Adds a batch to the pending page. */
  add(batch: ImportBatch): void;
  readonly pendingItems: readonly MediaItem[];
  /** Totals as they will be once the pending page is committed; what the store is told. */
  totals(status: ImportProgress['status']): Omit<ImportProgress, 'id' | 'files' | 'startedAt'>;
  /** The pending page was committed with this result. */
  settle(result: Pick<PageResult, 'inserted' | 'updated' | 'unchanged'>): void;
  /** Forgets the pending page, its counts included. */
  dropPending(): void;
  counts(): ImportCounts;
  /** Records read so far, pending ones included; for progress. */
  readSoFar(): number;
  readonly files: ReadonlyMap<string, FileReport>;
  /** A file that held nothing for this provider, beside others that did, is no damage but worth a word. */
  forgive(file: string): void;
  readonly hasRejections: boolean;
  report(): Pick<
    ImportReport,
    'counts' | 'skipped' | 'rejected' | 'rejections' | 'byType' | 'files' | 'coverage' | 'warnings' | 'preview'
  >;
}

const emptyPage = (): Page => ({ items: [], read: 0, skipped: {}, rejections: [] });

export function openLedger(): ImportLedger {
  let coverage = trackCoverage();
  let coverageWithPage = coverage;
  const files = new Map<string, FileReport>();
  const stored = { inserted: 0, updated: 0, unchanged: 0 };
  const skipped: Record<string, number> = {};
  const rejected: Record<string, number> = {};
  const byType: Partial<Record<MediaType, number>> = {};
  const rejections: RejectedRecord[] = [];
  const warnings: string[] = [];
  const preview: MediaItem[] = [];
  let read = 0;
  let page = emptyPage();

  function rejectedOnPage(): Record<string, number> {
    const reasons: Record<string, number> = {};
    for (const { reason } of page.rejections) addReasons(reasons, { [reason]: 1 });
    return reasons;
  }

  const counts = (): ImportCounts => ({
    read,
    ...stored,
    skipped: sumReasons(skipped),
    rejected: sumReasons(rejected),
  });

  return {
    files,
    get pendingItems() {
      return page.items;
    },
    get hasRejections() {
      return page.rejections.length > 0 || sumReasons(rejected) > 0;
    },
    add(batch) {
      page.read += batch.read;
      for (const item of batch.items) page.items.push(item);
      page.rejections.push(...batch.rejected);
      addReasons(page.skipped, batch.skipped);
      for (const warning of batch.warnings ?? []) if (!warnings.includes(warning)) warnings.push(warning);
      noteFile(files, batch);
    },
    totals(status) {
      const next = { skipped: { ...skipped }, rejected: { ...rejected } };
      addReasons(next.skipped, page.skipped);
      addReasons(next.rejected, rejectedOnPage());
      coverageWithPage = coverage.with(page.items);
      return { status, read: read + page.read, ...next, coverage: coverageWithPage.stretches() };
    },
    settle(result) {
      coverage = coverageWithPage;
      read += page.read;
      stored.inserted += result.inserted;
      stored.updated += result.updated;
      stored.unchanged += result.unchanged;
      addReasons(skipped, page.skipped);
      addReasons(rejected, rejectedOnPage());
      for (const { type } of page.items) byType[type] = (byType[type] ?? 0) + 1;
      rejections.push(...page.rejections.slice(0, REJECTIONS_KEPT - rejections.length));
      preview.push(...page.items.slice(0, PREVIEW_ITEMS - preview.length));
      page = emptyPage();
    },
    forgive(file) {
      const report = files.get(file);
      if (!report?.error) return;
      warnings.push(report.error.message);
      files.set(file, { ...report, error: undefined });
    },
    dropPending() {
      page = emptyPage();
    },
    counts,
    readSoFar: () => read + page.read,
    report: () => ({
      counts: counts(),
      skipped,
      rejected,
      rejections,
      byType,
      files: [...files.values()],
      coverage: coverage.stretches(),
      warnings,
      preview,
    }),
  };
}

function noteFile(files: Map<string, FileReport>, { file, format, read, error }: ImportBatch): void {
  const before = files.get(file);
  files.set(file, { name: file, format, read: (before?.read ?? 0) + read, error: error ?? before?.error });
}
