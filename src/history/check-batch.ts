import type { ImportBatch } from '../contracts/capabilities/file-import.ts';
import { McaError } from '../contracts/errors.ts';
import type { MediaItem } from '../contracts/media-item.ts';
import { sumReasons } from './import-report.ts';
import type { ImportJob } from './import-run.ts';

const MAX_EXTERNAL_ID = 512;

/**
 * Holds a provider to its contract. By hand and not by schema: this runs for every item of a history.
 *
 * @throws McaError `plugin`
 */
export function checkBatch(batch: ImportBatch, job: ImportJob): void {
  const { read, items, skipped, rejected } = batch;
  if (read !== items.length + sumReasons(skipped) + rejected.length) {
    throw broken(
      job,
      'unbalanced_batch',
      `read ${read} records but accounts for ${items.length + sumReasons(skipped) + rejected.length}`,
    );
  }
  for (const item of items) {
    const fault = faultOf(item, job);
    if (fault) throw broken(job, 'invalid_item', `gave an item with ${fault}`);
  }
}

function faultOf(item: MediaItem, { provider, capability }: ImportJob): string | undefined {
  if (!capability.anyPlatform) {
    if (item.platform !== provider) return `platform "${item.platform}"`;
    if (capability.sources[item.source] === undefined) return `undeclared source "${item.source}"`;
  }
  const { externalId, title, consumedAt, timeSpentMs, durationMs } = item;
  if (typeof externalId !== 'string' || externalId === '' || externalId.length > MAX_EXTERNAL_ID)
    return 'an externalId that is empty or too long';
  if (typeof title !== 'string' || title === '') return 'no title';
  if (!(consumedAt instanceof Date) || Number.isNaN(consumedAt.getTime())) return 'no valid consumedAt';
  if (timeSpentMs !== undefined && !(timeSpentMs >= 0)) return 'a negative timeSpentMs';
  if (durationMs !== undefined && !(durationMs >= 0)) return 'a negative durationMs';
  return undefined;
}

function broken(job: ImportJob, reason: string, what: string): McaError {
  return new McaError({
    code: 'plugin',
    reason,
    provider: job.provider,
    message: `The importer of ${job.provider} ${what}.`,
    hint: 'This is a defect of the provider. `fileImportConformance` of @mca/core/testing finds it.',
  });
}
