import { createRegistry, type ImportReport, importFile, iterateItems, McaError } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { defineProvider, fileImport, jsonFormat, skip } from '@mca/core/provider-kit';
import { spotify } from '@mca/core/providers/spotify';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { history, plays } from '../../test/support/spotify-rows.ts';
import { fileOf } from '../testing/import-files.ts';

const userId = 'ana';

/** whatever happened, every record is accounted for. */
function expectBalanced({ counts, skipped, rejected, files }: ImportReport): void {
  const sum = (reasons: Readonly<Record<string, number>>) => Object.values(reasons).reduce((a, b) => a + b, 0);
  expect(counts.read).toBe(counts.inserted + counts.updated + counts.unchanged + counts.skipped + counts.rejected);
  expect(sum(skipped)).toBe(counts.skipped);
  expect(sum(rejected)).toBe(counts.rejected);
  expect(files.length).toBeGreaterThan(0);
}

async function refusal(promise: Promise<unknown>): Promise<McaError> {
  const error = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!McaError.isInstance(error)) throw new Error(`Expected an McaError, got ${String(error)}`);
  return error;
}

describe('a provider that breaks its contract', () => {
  const importer = (record: () => never | object) =>
    defineProvider({
      id: 'odd',
      name: 'Odd',
      capabilities: {
        fileImport: fileImport(
          {
            provider: 'odd',
            accept: ['.json'],
            hint: 'x',
            formats: [
              jsonFormat({
                id: 'rows',
                name: 'Rows',
                precision: 'second',
                rank: 1,
                names: /json$/,
                recognise: () => 1,
                record: record as never,
              }),
            ],
          },
          z.object({}),
        ),
      },
    });
  const item = {
    platform: 'odd',
    externalId: '1',
    type: 'music',
    action: 'consumed',
    title: 'x',
    consumedAt: new Date(0),
    tags: [],
    ids: {},
    source: 'rows',
    precision: 'second',
    rawMetadata: {},
  };

  test.each([
    [
      'throws',
      () => {
        throw new TypeError('oops');
      },
      'unexpected_error',
    ],
    ['names another platform', () => ({ ...item, platform: 'spotify' }), 'invalid_item'],
    ['names an undeclared source', () => ({ ...item, source: 'elsewhere' }), 'invalid_item'],
    ['gives no title', () => ({ ...item, title: '' }), 'invalid_item'],
    ['gives an endless key', () => ({ ...item, externalId: 'x'.repeat(513) }), 'invalid_item'],
    ['gives no date', () => ({ ...item, consumedAt: new Date(Number.NaN) }), 'invalid_item'],
  ])('is named when it %s', async (_what, record, reason) => {
    const registry = createRegistry({ providers: [importer(record)], ...memory() });
    const error = await refusal(importFile(registry, { userId, file: fileOf('rows.json', '[{}]') }));
    expect(error).toMatchObject({ code: 'plugin', reason, provider: 'odd' });
  });

  test('is named when its batches do not balance', async () => {
    const good = importer(() => skip('never'));
    const capability = {
      ...good.capabilities.fileImport,
      async *parse() {
        yield { file: 'f', format: 'rows', read: 3, items: [], skipped: {}, rejected: [] };
      },
    };
    const registry = createRegistry({
      providers: [{ ...good, capabilities: { fileImport: capability } }],
      ...memory(),
    });
    expect(await refusal(importFile(registry, { userId, file: fileOf('rows.json', '[{}]') }))).toMatchObject({
      code: 'plugin',
      reason: 'unbalanced_batch',
    });
  });
});

describe('hooks and events', () => {
  test('onItems hears every stored item once, and its failure does not hurt', async () => {
    const heard: string[] = [];
    const onEvent = vi.fn();
    const registry = createRegistry({
      providers: [spotify()],
      ...memory(),
      onEvent,
      onItems(changes) {
        for (const change of changes) if (change.type === 'stored') heard.push(change.item.externalId);
        throw new Error('host bug');
      },
    });
    const report = await importFile(registry, { userId, file: history(plays(0, 7_000)) });
    expect(report.status).toBe('complete');
    expect(new Set(heard).size).toBe(7_000);
    expect(heard).toHaveLength(7_000);
    const types = onEvent.mock.calls.map(([event]) => event.type);
    expect(types).toContain('hook_failed');
    expect(types.at(-1)).toBe('import_finished');
  });
});

describe('a store that fails', () => {
  test('in the middle gives a failed report with what is stored', async () => {
    const { storage, credentials } = memory();
    let pages = 0;
    const failing: typeof storage = {
      ...storage,
      commitPage(page) {
        pages += 1;
        if (pages === 2) throw new McaError({ code: 'storage', reason: 'disk_full', message: 'No space left.' });
        return storage.commitPage(page);
      },
    };
    const registry = createRegistry({ providers: [spotify()], storage: failing, credentials });
    const report = await importFile(registry, { userId, file: history(plays(0, 12_000)) });
    expect(report).toMatchObject({ status: 'failed', error: { code: 'storage', reason: 'disk_full' } });
    expectBalanced(report);
    expect(await Array.fromAsync(iterateItems(registry, { userId }))).toHaveLength(report.counts.inserted);
  });

  test('at once throws', async () => {
    const { storage, credentials } = memory();
    const commitPage = () =>
      Promise.reject(new McaError({ code: 'storage', reason: 'disk_full', message: 'No space left.' }));
    const registry = createRegistry({ providers: [spotify()], storage: { ...storage, commitPage }, credentials });
    expect(await refusal(importFile(registry, { userId, file: history(plays(0, 5)) }))).toMatchObject({
      code: 'storage',
      reason: 'disk_full',
    });
  });
});
