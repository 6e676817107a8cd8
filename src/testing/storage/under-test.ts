import type { CredentialStore } from '../../contracts/credential-store.ts';
import type { Storage } from '../../contracts/storage/index.ts';
import type { ConformanceCase } from '../conformance-case.ts';

/** A fresh, empty store that a conformance case may do anything with. */
export interface StorageUnderTest {
  readonly storage: Storage;
  readonly credentials: CredentialStore;
  /**
   * Moves the adapter's clock on, or back when negative. Without it, cases about expiry wait for real, a few dozen
   * milliseconds each, and what only shows when the clock is set back is not looked at.
   */
  advance?(milliseconds: number): void | Promise<void>;
  /** Closes and opens the same data again; durable adapters only. What it answers is closed instead of this. */
  reopen?(): Promise<StorageUnderTest>;
  /** Closes the store and removes its data. Its verbs fail from then on, if it is durable. */
  close(): Promise<void>;
}

/** Opens a fresh, empty store. */
export type OpenStorage = () => Promise<StorageUnderTest>;

/** What a suite has to know about an adapter beforehand. */
export interface StorageConformanceOptions {
  /** Whether data outlives the adapter; if not, the cases about that are skipped. @default true */
  readonly durable?: boolean | undefined;
}

/** What a case gets from a suite. */
export interface Suite {
  readonly open: OpenStorage;
  readonly durable: boolean;
}

/** A case that runs on one fresh, migrated store. */
export function onFreshStore(
  suite: Suite,
  id: string,
  title: string,
  run: (store: StorageUnderTest) => Promise<void>,
): ConformanceCase {
  return {
    id,
    title,
    async run() {
      const store = await suite.open();
      try {
        await store.storage.migrate();
        await run(store);
      } finally {
        await store.close();
      }
    },
  };
}

/** A case about what outlives the adapter. `run` answers the store that is open at the end. */
export function onDurableStore(
  suite: Suite,
  id: string,
  title: string,
  before: (store: StorageUnderTest) => Promise<void>,
  after: (reopened: StorageUnderTest) => Promise<void>,
): ConformanceCase {
  return {
    id,
    title,
    skip: suite.durable ? undefined : 'keeps nothing after closing',
    async run() {
      let store = await suite.open();
      try {
        await store.storage.migrate();
        await before(store);
        if (!store.reopen) throw new Error('A durable adapter has to give `reopen` to the conformance suite.');
        store = await store.reopen();
        await after(store);
      } finally {
        await store.close();
      }
    },
  };
}

/** Lets time pass for the store. */
export async function elapse(store: StorageUnderTest, milliseconds: number): Promise<void> {
  if (store.advance) await store.advance(milliseconds);
  else await new Promise((resolve) => setTimeout(resolve, milliseconds));
}
