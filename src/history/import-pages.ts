import { McaError } from '../contracts/errors.ts';
import type { MediaItem } from '../contracts/media-item.ts';
import type { ImportProgress, Lease, PageResult } from '../contracts/storage/index.ts';
import { randomId } from '../runtime/env.ts';
import type { ImportJob } from './import-run.ts';
import { tellItems } from './tell-items.ts';

/** Where the pages of an import go: into the store, or nowhere (dry run). */
export interface PageWriter {
  write(
    items: readonly MediaItem[],
    progress: Omit<ImportProgress, 'id' | 'files' | 'startedAt'>,
  ): Promise<Pick<PageResult, 'inserted' | 'updated' | 'unchanged'>>;
  close(): Promise<void>;
  readonly hasWritten: boolean;
  readonly connectionId: string | undefined;
}

const LEASE_MS = 60_000;
const RENEW_AFTER_MS = 20_000;

/**
 * Writes pages under a lease of the import's own: nobody competes for it, but undoing the import or erasing the user
 * takes it away, and then a writer that is still running fails instead of bringing the data back.
 */
export function storageWriter(job: ImportJob, importId: string): PageWriter {
  const { storage, env } = job.registry;
  const files = job.files.map((file) => file.name);
  const startedAt = new Date(env.clock.now());
  let lease: Lease | undefined;
  let renewedAt = 0;
  let connectionId: string | undefined;
  let hasWritten = false;

  /** Connection and lease are made with the first page, so that a refused file leaves no trace. */
  async function open(): Promise<{ lease: Lease; connectionId: string }> {
    if (connectionId === undefined || lease === undefined) {
      const { id, userId, provider, account } = { id: randomId(env.random), ...job };
      connectionId = (await storage.ensureConnection({ id, userId, provider, kind: 'file', account })).id;
      lease = await storage.acquireLease({
        resource: `import:${importId}`,
        owner: randomId(env.random),
        ttlMs: LEASE_MS,
      });
      renewedAt = env.clock.now();
    } else if (env.clock.now() - renewedAt > RENEW_AFTER_MS) {
      lease = await storage.renewLease(lease, LEASE_MS);
      renewedAt = env.clock.now();
    }
    if (lease) return { lease, connectionId };
    throw new McaError({
      code: 'storage',
      reason: 'lease_lost',
      provider: job.provider,
      message: 'The import was undone, or its user erased, while it was running.',
    });
  }

  return {
    get hasWritten() {
      return hasWritten;
    },
    get connectionId() {
      return hasWritten ? connectionId : undefined;
    },
    async write(items, progress) {
      const result = await storage.commitPage({
        ...(await open()),
        items,
        policy: job.policy,
        import: { id: importId, files, startedAt, ...progress },
      });
      hasWritten = true;
      await tellItems(job.registry, job.userId, result);
      return result;
    },
    async close() {
      if (lease === undefined) return;
      try {
        await storage.releaseLease(lease);
      } catch (error) {
        // It runs out by itself, and how the import ended matters more.
        env.logger.warn('could not release the lease of an import', {
          message: error instanceof Error ? error.message : String(error),
        });
      }
      lease = undefined;
    },
  };
}

/** Counts what would change. Remembers the keys of the whole run, so memory grows with the file. */
export function previewWriter(job: ImportJob): PageWriter {
  const seen = new Set<string>();
  return {
    hasWritten: false,
    connectionId: undefined,
    async write(items) {
      // Repeats within a page are the store's to count; those of earlier pages were never stored here.
      const fresh = items.filter((item) => !seen.has(keyOf(item)));
      for (const item of fresh) seen.add(keyOf(item));
      const result = await job.registry.storage.previewPage({ userId: job.userId, items: fresh, policy: job.policy });
      return { ...result, unchanged: result.unchanged + (items.length - fresh.length) };
    },
    close: async () => {},
  };
}

function keyOf({ platform, externalId }: MediaItem): string {
  return `${platform}\n${externalId}`;
}
