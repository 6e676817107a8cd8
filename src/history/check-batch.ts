import type { ImportBatch } from '../contracts/capabilities/file-import.ts';
import { McaError } from '../contracts/errors.ts';
import { faultOf } from './check-item.ts';
import { sumReasons } from './import-report.ts';
import type { ImportJob } from './import-run.ts';

/**
 * Holds an importer to its contract.
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
  const { provider, capability } = job;
  const origin = { provider, sources: capability.sources, anyPlatform: capability.anyPlatform };
  for (const item of items) {
    const fault = faultOf(item, origin);
    if (fault) throw broken(job, 'invalid_item', `gave an item with ${fault}`);
  }
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
