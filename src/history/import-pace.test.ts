import v8 from 'node:v8';
import { createRegistry, importFile, type Storage } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { spotify } from '@mca/core/providers/spotify';
import { expect, test, vi } from 'vitest';
import { history, plays } from '../../test/support/spotify-rows.ts';
import { importPace } from './import-pace.ts';

const MB = 1_000_000;

/** A young generation that is collected from 8 MB, and in which every commit leaves so many bytes. */
function runtime({ used = 0, collectedFrom = 8 * MB }: { used?: number; collectedFrom?: number } = {}) {
  const young = { used, collectedFrom };
  return { young: () => ({ ...young }), use: (bytes: number) => (young.used += bytes) };
}

test('a page ends where committing what waits would meet a collection', () => {
  const { young, use } = runtime({ used: 6 * MB });
  const pace = importPace(young);
  expect(pace.isTimeToCommit(1_000)).toBe(false);
  use(1.5 * MB);
  expect(pace.isTimeToCommit(1_000)).toBe(true);
  expect(pace.isTimeToCommit(100)).toBe(false);
});

test('an empty page never ends, however full the young generation is', () => {
  expect(importPace(runtime({ used: 9 * MB }).young).isTimeToCommit(0)).toBe(false);
});

test('it learns from each commit what the next one will allocate', async () => {
  const { young, use } = runtime();
  const pace = importPace(young);
  await pace.around(1_000, async () => void use(4 * MB));
  expect(pace.isTimeToCommit(500)).toBe(false);
  expect(pace.isTimeToCommit(1_100)).toBe(true);
  // A collection during the commit tells nothing.
  await pace.around(1_000, async () => void use(-4 * MB));
  expect(pace.isTimeToCommit(1_100)).toBe(false);
  expect(pace.isTimeToCommit(2_100)).toBe(true);
});

test('where the runtime does not tell, pages end by their size alone', () => {
  const pace = importPace(runtime({ used: 100 * MB, collectedFrom: Number.POSITIVE_INFINITY }).young);
  expect(pace.isTimeToCommit(1_000_000)).toBe(false);
});

test('this runtime tells, once its young generation has grown', async () => {
  const told = (newSpace: number) =>
    vi
      .spyOn(v8, 'getHeapSpaceStatistics')
      .mockReturnValue([
        { space_name: 'new_space', space_used_size: newSpace / 2, space_available_size: newSpace / 2 },
      ] as v8.HeapSpaceInfo[]);
  try {
    told(32 * MB);
    expect(importPace().isTimeToCommit(1_000_000)).toBe(true);
    told(16 * MB);
    expect(importPace().isTimeToCommit(1_000_000)).toBe(false);
  } finally {
    vi.restoreAllMocks();
  }
  expect(v8.getHeapSpaceStatistics().map(({ space_name: name }) => name)).toContain('new_space');
});

test('an import waits with 2,000 items and a batch at most, with its first page for all of them, and commits each once', async () => {
  const { storage, credentials } = memory();
  const pages: number[] = [];
  const counted: Storage = {
    ...storage,
    commitPage(page) {
      pages.push(page.items.length);
      return storage.commitPage(page);
    },
  };
  const registry = createRegistry({ providers: [spotify()], storage: counted, credentials });
  const report = await importFile(registry, { userId: 'ana', file: history(plays(0, 12_000)) });
  expect(report.counts).toMatchObject({ read: 12_000, inserted: 12_000 });
  expect(pages.reduce((sum, items) => sum + items, 0)).toBe(12_000);
  expect(pages[0]).toBeGreaterThanOrEqual(2_000);
  // A batch is what one piece of 64 KiB holds.
  expect(Math.max(...pages)).toBeLessThan(2_400);
});

test('a runtime whose figures throw imports as any other', async () => {
  const v8 = process.getBuiltinModule('node:v8');
  const told = v8.getHeapSpaceStatistics;
  v8.getHeapSpaceStatistics = () => {
    throw new Error('not implemented');
  };
  try {
    vi.resetModules();
    const { importFile: importAnew, createRegistry: registryAnew } = await import('@mca/core');
    const { memory: memoryAnew } = await import('@mca/core/adapters/memory');
    const { spotify: spotifyAnew } = await import('@mca/core/providers/spotify');
    const registry = registryAnew({ providers: [spotifyAnew()], ...memoryAnew() });
    const report = await importAnew(registry, { userId: 'ana', file: history(plays(0, 3_000)) });
    expect(report).toMatchObject({ status: 'complete', counts: { inserted: 3_000 } });
  } finally {
    v8.getHeapSpaceStatistics = told;
  }
});
