import { restIfYoungIsFull, type YoungGeneration, youngGeneration } from '../runtime/young-generation.ts';

/** Ends pages at the right moment. */
export interface ImportPace {
  /** Whether V8 would collect before, or while, so many more items are committed: then now is better. */
  isTimeToCommit(items: number): boolean;
  /** Runs a commit of so many items, and lets V8 collect behind it if it is about to. */
  around(items: number, commit: () => Promise<void>): Promise<void>;
}

/** What committing an item allocates at least, in bytes: bound values, JSON, results. */
const COMMIT_BYTES_MIN = 900;

/**
 * Keeps items from being collected while they wait for their page. Those that are would be copied, and what waits would
 * enlarge V8's young generation step by step, the more the longer the import. Committed just before, memory stays flat.
 *
 * @param young - tells how far V8 is from collecting
 */
export function importPace(young: () => YoungGeneration = youngGeneration): ImportPace {
  let bytesPerItem = COMMIT_BYTES_MIN;
  return {
    isTimeToCommit(items) {
      const { used, collectedFrom } = young();
      return items > 0 && used + items * bytesPerItem > collectedFrom;
    },
    async around(items, commit) {
      const before = young().used;
      await commit();
      const grownBy = young().used - before;
      // Less than nothing: there was a collection in between.
      if (grownBy > 0 && items > 0) bytesPerItem = Math.max(COMMIT_BYTES_MIN, grownBy / items);
      await restIfYoungIsFull();
    },
  };
}
