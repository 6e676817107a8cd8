import { spotify } from '@mca/core/providers/spotify';
import { expect, test } from 'vitest';
import { plays } from '../../test/support/spotify-rows.ts';
import type { FileImportCapability, ImportBatch } from '../contracts/capabilities/file-import.ts';
import type { MediaItem } from '../contracts/media-item.ts';
import { fileImportConformance } from './file-import-conformance.ts';
import { fileOf } from './import-files.ts';

type Importer = FileImportCapability<never, never>;
const real = spotify().capabilities.fileImport as unknown as Importer;
const file = (from: number, to: number) => ({ name: 'endsong_0.json', content: JSON.stringify(plays(from, to)) });

/** Runs the suite over an importer and answers the promises it finds broken. */
async function broken(fileImport: Importer, personal: readonly string[] | 'none' = ['Album']): Promise<string[]> {
  const cases = fileImportConformance({
    provider: { id: 'spotify', capabilities: { fileImport } },
    exports: [file(0, 30)],
    withBadRecord: {
      name: 'endsong_0.json',
      content: JSON.stringify([...plays(0, 30), { ts: 'the day before' }]),
      badValue: 'the day before',
    },
    overlapping: [file(0, 20), file(10, 30)],
    personal,
  });
  const failed = new Set<string>();
  for (const { id, run } of cases) await run().catch(() => failed.add(id));
  return [...failed];
}

/** The importer with its batches changed. */
function changed(change: (batch: ImportBatch) => ImportBatch): Importer {
  return {
    ...real,
    async *parse(context, files) {
      for await (const batch of real.parse(context, files)) yield change(batch);
    },
  };
}
const items = (change: (item: MediaItem, index: number) => Partial<MediaItem>): Importer =>
  changed((batch) => ({ ...batch, items: batch.items.map((item, index) => ({ ...item, ...change(item, index) })) }));

// The real importer keeps the album on purpose; here it stands for personal data that should have stayed behind.
const withoutAlbum = () => ({ rawMetadata: {} });

test('an importer that keeps its promises passes', async () => {
  expect(await broken(items(withoutAlbum))).toEqual([]);
});

test('IMP-8 personal data may be said to be none, not left out', async () => {
  expect(await broken(real, 'none')).toEqual([]);
  expect(await broken(real, [])).toEqual(['IMP-8']);
}, 20_000);

test.each<[string, string, Importer]>([
  ['IMP-1', 'other keys each time', items(() => ({ externalId: String(Math.random()) }))],
  [
    'IMP-1',
    'dates in local time',
    items(({ consumedAt }) => ({ consumedAt: new Date(consumedAt.toISOString().slice(0, -1)) })),
  ],
  ['IMP-2', 'a record that vanishes', changed((batch) => ({ ...batch, read: batch.read + 1 }))],
  ['IMP-3', 'another platform', items(() => ({ platform: 'netflix' }))],
  ['IMP-3', 'an undeclared source', items(() => ({ source: 'elsewhere' }))],
  ['IMP-3', 'no title', items(() => ({ title: '' }))],
  ['IMP-3', 'no ids', items(() => ({ ids: undefined as never }))],
  ['IMP-3', 'an ISRC with dashes', items(() => ({ ids: { isrc: 'GB-AYE-68-00011' } }))],
  ['IMP-4', 'damage that is swallowed', changed((batch) => ({ ...batch, error: undefined }))],
  [
    'IMP-5',
    'rejections without position',
    changed((batch) => ({
      ...batch,
      rejected: batch.rejected.map(({ file: name, reason, message }) => ({ file: name, reason, message })),
    })),
  ],
  [
    'IMP-6',
    'a deaf ear to the signal',
    { ...real, parse: (context, files) => real.parse({ ...context, signal: new AbortController().signal }, files) },
  ],
  [
    'IMP-7',
    'a claim on everything',
    { ...real, recognise: async () => ({ format: 'extended-history', confidence: 1 }) },
  ],
  ['IMP-8', 'personal data in items', real],
  [
    'IMP-8',
    'content in rejections',
    changed((batch) => ({
      ...batch,
      rejected: batch.rejected.map((each) => ({ ...each, message: 'bad ts: the day before' })),
    })),
  ],
  [
    'IMP-9',
    'a reason in words',
    changed((batch) => ({ ...batch, rejected: batch.rejected.map((each) => ({ ...each, reason: 'Bad date' })) })),
  ],
  [
    'IMP-10',
    'keys by position in the file',
    items((_item, index) => ({ externalId: `row ${index}`, timeSpentMs: (index * 7919) % 13 })),
  ],
])(
  '%s catches %s',
  async (id, _what, importer) => {
    expect(await broken(importer)).toContain(id);
  },
  20_000,
);

test('fileOf copies: what a test does to its bytes changes no file', async () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const copy = fileOf('x', bytes);
  bytes[0] = 9;
  expect(await copy.read?.(0, 1)).toEqual(new Uint8Array([1]));
});
