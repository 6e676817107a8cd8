import { readFileSync } from 'node:fs';
import { memory } from '@mca/core/adapters/memory';
import { describe, expect, test } from 'vitest';
import type { Mutant } from '../../test/support/mutant.ts';
import { STORE_MUTANTS } from '../../test/support/store-mutants.ts';
import { SYNC_MUTANTS } from '../../test/support/sync-mutants.ts';
import { credentialConformance, type OpenStorage, storageConformance } from './storage-conformance.ts';

const MUTANTS = { ...STORE_MUTANTS, ...SYNC_MUTANTS };

function openMemory(mutate: Mutant = (adapter) => adapter): OpenStorage {
  return async () => {
    let now = 0;
    return {
      ...mutate(memory({ clock: { now: () => now } })),
      advance: (milliseconds) => {
        now += milliseconds;
      },
      close: async () => {},
    };
  };
}

function casesOf(open: OpenStorage, durable: boolean) {
  return [...storageConformance(open, { durable }), ...credentialConformance(open, { durable })];
}

/** Ids of the cases that fail. */
async function failuresOf(open: OpenStorage, ids: readonly string[], durable = false): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const { id, run } of casesOf(open, durable)) {
    if (ids.includes(id)) await run().catch(() => failed.push(id));
  }
  return failed;
}

const PROMISES = [
  'storage/index',
  'storage/lease',
  'storage/connections',
  'storage/pages',
  'storage/imports',
  'storage/queries',
  'storage/sync',
  'credential-store',
]
  .map((name) => readFileSync(new URL(`../contracts/${name}.ts`, import.meta.url), 'utf8'))
  .flatMap((text) => [...text.matchAll(/^ \* - `([A-Z]+-\d+)`/gm)].map(([, id = '']) => id));

describe('storage and credential conformance', () => {
  test('every promise of the contracts has a case, and every case a promise', () => {
    const ids = new Set(casesOf(openMemory(), true).map(({ id }) => id));
    expect(PROMISES.length).toBeGreaterThan(35);
    expect([...ids].sort()).toEqual([...PROMISES].sort());
  });

  for (const id of PROMISES.filter((promise) => !['STORE-2', 'STORE-3', 'CRED-5'].includes(promise))) {
    test(`${id} catches adapters that break it`, async () => {
      const mutants = [MUTANTS[id] ?? []].flat();
      expect(mutants).not.toEqual([]);
      for (const [index, mutant] of mutants.entries()) {
        expect(await failuresOf(openMemory(mutant), [id]), `mutant ${index} of ${id}`).not.toEqual([]);
      }
    });
  }

  test('STORE-2 and CRED-5 catch an adapter that forgets, STORE-3 one that never fails', async () => {
    const ids = ['STORE-2', 'CRED-5', 'STORE-3'];
    const remembers: OpenStorage = async () => {
      const store = await openMemory()();
      return { ...store, reopen: async () => store };
    };
    const forgets: OpenStorage = async () => ({ ...(await openMemory()()), reopen: openMemory() });
    expect(await failuresOf(remembers, ids, true)).toEqual(['STORE-3']);
    expect([...(await failuresOf(forgets, ids, true))].sort()).toEqual([...ids].sort());
    expect([...(await failuresOf(openMemory(), ['STORE-2', 'CRED-5'], true))].sort()).toEqual(['CRED-5', 'STORE-2']);
  });
});
