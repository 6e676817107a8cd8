import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { recordFigure } from '../../test/support/reliability.ts';
import type { McaError } from '../contracts/errors.ts';
import type { ImportFile } from '../contracts/import-file.ts';
import { hostileZips, makeZip } from '../testing/hostile-files.ts';
import { fileOf } from '../testing/import-files.ts';
import { readCsv } from './csv-records.ts';
import { isZip, openZip, type ZipLimits } from './zip.ts';

/** A file that hands out views of the bytes: a copy for each read would count as the reader's memory. */
function archiveOf(bytes: Uint8Array, name = 'export.zip'): ImportFile {
  const open = (): ReadableStream<Uint8Array> => fileOf(name, bytes).open() as ReadableStream<Uint8Array>;
  return { name, size: bytes.length, open, read: async (offset, length) => bytes.subarray(offset, offset + length) };
}

async function bytesOf(file: ImportFile): Promise<Uint8Array> {
  return new Uint8Array(await new Response(await file.open()).arrayBuffer());
}

/** Reads every entry and keeps nothing. */
async function readAll(file: ImportFile, limits?: Partial<ZipLimits>): Promise<Record<string, number>> {
  const zip = await openZip(file, { limits });
  const sizes: Record<string, number> = {};
  for (const entry of zip.entries) {
    let size = 0;
    for await (const chunk of (await entry.open()) as unknown as AsyncIterable<Uint8Array>) size += chunk.length;
    sizes[entry.name] = size;
  }
  await zip.close();
  return sizes;
}

async function failure(work: Promise<unknown>): Promise<McaError> {
  return work.then(
    () => expect.fail('nothing was thrown'),
    (error: McaError) => error,
  );
}

const content = 'Title,Date\n"Amélie",2024-01-02\n';

describe('openZip', () => {
  test('lists files with the archive in front of their names, and opens them as often as asked', async () => {
    const zip = await openZip(
      archiveOf(
        makeZip([
          { name: 'Spotify Extended/', mode: 0o040755, deflate: false },
          { name: 'Spotify Extended/über.csv', content },
          { name: 'stored.csv', content, deflate: false },
          { name: 'empty.csv' },
        ]),
      ),
    );
    expect(zip.entries.map(({ name, size }) => [name, size])).toEqual([
      ['export.zip!Spotify Extended/über.csv', 32],
      ['export.zip!stored.csv', 32],
      ['export.zip!empty.csv', 0],
    ]);
    const [first, second, third] = zip.entries as [ImportFile, ImportFile, ImportFile];
    for (const entry of [first, second, first]) expect(new TextDecoder().decode(await bytesOf(entry))).toBe(content);
    expect(await bytesOf(third)).toHaveLength(0);
    for await (const { rows } of readCsv(first)) expect(rows).toEqual([['Amélie', '2024-01-02']]);
    await zip.close();
    await zip.close();
    expect((await failure(bytesOf(first))).reason).toBe('zip_closed');
  });

  test('names that are UTF-8 without saying so are read as such', async () => {
    const bytes = makeZip([{ name: 'Wiedergabeverlauf für Zoë.json', content }]);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const directory = Buffer.from(bytes).lastIndexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    view.setUint16(directory + 8, 0, true);
    const { entries } = await openZip(archiveOf(bytes));
    expect(entries[0]?.name).toBe('export.zip!Wiedergabeverlauf für Zoë.json');
  });

  test('large entries come through whole, in pieces', async () => {
    const noise = randomBytes(3_000_000);
    const repetitive = new TextEncoder().encode('{"ts":"2024"},'.repeat(300_000));
    for (const data of [noise, repetitive]) {
      for (const deflate of [true, false]) {
        const { entries } = await openZip(archiveOf(makeZip([{ name: 'a', content: data, deflate }])));
        expect(Buffer.from(await bytesOf(entries[0] as ImportFile)).equals(data)).toBe(true);
      }
    }
  });

  test('without read() the archive is buffered, up to 256 MiB', async () => {
    const bytes = makeZip([{ name: 'a.csv', content }]);
    const { read: _, ...streamed } = archiveOf(bytes);
    expect(await readAll(streamed)).toEqual({ 'export.zip!a.csv': 32 });
    const unknownSize = { name: 'export.zip', open: streamed.open, read: () => expect.fail('read without a size') };
    expect(await readAll(unknownSize)).toEqual({ 'export.zip!a.csv': 32 });
    const large = await failure(openZip({ ...streamed, size: 256 * 1024 * 1024 + 1 }));
    expect(large.reason).toBe('zip_needs_random_access');
    let sent = 0;
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
      sent += 1;
      controller.enqueue(new Uint8Array(1024 * 1024));
    };
    const endless = { name: 'export.zip', open: () => new ReadableStream({ pull }) };
    expect((await failure(openZip(endless))).reason).toBe('zip_needs_random_access');
    expect(sent).toBeLessThanOrEqual(258);
  });

  test('isZip knows archives by their first bytes', () => {
    expect(isZip(makeZip([{ name: 'a', content }]))).toBe(true);
    expect(isZip(makeZip([]))).toBe(true);
    expect(isZip(new TextEncoder().encode('PK is no archive'))).toBe(false);
    expect(isZip(new Uint8Array(0))).toBe(false);
  });

  test('an empty archive has no entries, a file that is none is zip_invalid', async () => {
    expect((await openZip(archiveOf(makeZip([])))).entries).toEqual([]);
    for (const bytes of [
      new Uint8Array(0),
      new Uint8Array(100),
      new TextEncoder().encode('Title,Date\n'.repeat(9_000)),
    ]) {
      expect((await failure(openZip(archiveOf(bytes)))).reason).toBe('zip_invalid');
    }
  });

  test('an abort ends opening and reading', async () => {
    const bytes = makeZip([{ name: 'a.csv', content: randomBytes(1_000_000) }]);
    expect((await failure(openZip(archiveOf(bytes), { signal: AbortSignal.abort() }))).code).toBe('cancelled');
    const controller = new AbortController();
    const { entries } = await openZip(archiveOf(bytes), { signal: controller.signal });
    const reader = (await (entries[0] as ImportFile).open()).getReader();
    await reader.read();
    controller.abort();
    await expect(reader.read()).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('a source that fails while reading is file_unreadable, not an unhandled rejection', async () => {
    const file = archiveOf(makeZip([{ name: 'a.csv', content }]));
    const error = await failure(openZip({ ...file, read: () => Promise.reject(new Error('EIO')) }));
    expect(error.reason).toBe('file_unreadable');
  });
});

test('stopping early leaves nothing running', async () => {
  const { entries } = await openZip(archiveOf(makeZip([{ name: 'a', content: randomBytes(2_000_000) }])));
  const stream = await (entries[0] as ImportFile).open();
  const reader = stream.getReader();
  await reader.read();
  await reader.cancel();
  expect((await reader.read()).done).toBe(true);
});

describe('R-050 hostile archives are a typed error or read like any other', () => {
  for (const { name, build, reason } of hostileZips()) {
    test(`R-050 ${name}: ${reason ?? 'read'}`, { timeout: 20_000 }, async () => {
      const bytes = build();
      const before = process.memoryUsage().rss;
      const start = performance.now();
      const outcome = await readAll(archiveOf(bytes)).catch((error: McaError) => error);
      const ms = Math.ceil(performance.now() - start);
      const growthMiB = Math.ceil((process.memoryUsage().rss - before) / 1024 / 1024);
      if (reason === undefined) {
        expect(Object.keys(outcome)).toHaveLength(1);
      } else {
        expect(outcome).toMatchObject({ name: 'McaError', code: 'file_parse_error', reason });
        expect((outcome as McaError).hint).toBeTruthy();
      }
      expect(growthMiB).toBeLessThanOrEqual(64);
      recordFigure('R-050', `${reason ?? 'read'} after ${ms} ms; RSS +${Math.max(0, growthMiB)} MiB`);
    });
  }

  test('R-050 the caps count decoded bytes, whatever the archive claims', async () => {
    const honest = archiveOf(
      makeZip([
        { name: 'a', content: 'x'.repeat(100_000) },
        { name: 'b', content: 'y'.repeat(100_000) },
      ]),
    );
    const reasonOf = async (limits: Partial<ZipLimits>): Promise<string | undefined> =>
      readAll(honest, limits).then(
        () => undefined,
        (error: McaError) => error.reason,
      );
    expect(await reasonOf({ entryBytes: 99_999 })).toBe('zip_entry_too_large');
    expect(await reasonOf({ entryBytes: 100_000 })).toBeUndefined();
    expect(await reasonOf({ totalBytes: 199_999 })).toBe('zip_total_too_large');
    expect(await reasonOf({ totalBytes: 200_000 })).toBeUndefined();
    expect(await reasonOf({ ratioFreeBytes: 99_999 })).toBe('zip_ratio');
    expect(await reasonOf({ ratioFreeBytes: 100_000 })).toBeUndefined();
    expect(await reasonOf({ ratioFreeBytes: 0, ratio: 1_100 })).toBeUndefined();
    expect(await reasonOf({ archiveBytes: (honest.size ?? 0) - 1 })).toBe('zip_too_large');
    expect(await reasonOf({ entries: 1 })).toBe('zip_too_many_entries');
    expect(await reasonOf({ entries: 2 })).toBeUndefined();
  });

  test('R-050 reading an entry again does not use up the total', async () => {
    const zip = await openZip(archiveOf(makeZip([{ name: 'a', content: 'x'.repeat(1_000) }])), {
      limits: { totalBytes: 1_000 },
    });
    for (let time = 0; time < 3; time += 1) expect(await bytesOf(zip.entries[0] as ImportFile)).toHaveLength(1_000);
  });

  test('R-050 ten thousand entries are listed', { timeout: 20_000 }, async () => {
    const entries = Array.from({ length: 10_000 }, (_, n) => ({ name: `${n}.csv`, deflate: false }));
    const start = performance.now();
    expect((await openZip(archiveOf(makeZip(entries)))).entries).toHaveLength(10_000);
    recordFigure('R-050', `10,000 entries listed in ${Math.round(performance.now() - start)} ms`);
  });

  test('R-050 an archive cut anywhere is a typed error', async () => {
    const bytes = makeZip(
      [
        { name: 'a', content },
        { name: 'b', content: makeZip([{ name: 'c', content }]), deflate: false },
      ],
      { zip64: true },
    );
    for (let length = 0; length < bytes.length; length += 1) {
      const error = await failure(readAll(archiveOf(bytes.subarray(0, length))));
      expect(error).toMatchObject({ name: 'McaError', code: 'file_parse_error' });
    }
  });

  test('R-050 an archive with any byte changed is read right or a typed error', { timeout: 20_000 }, async () => {
    const bytes = makeZip(
      [
        { name: 'a', content },
        { name: 'b', content, deflate: false, zip64: true },
      ],
      { zip64: true },
    );
    let errors = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      for (const change of [0x01, 0x80, 0xff]) {
        const changed = bytes.slice();
        changed[at] = (changed[at] ?? 0) ^ change;
        const outcome = await readAll(archiveOf(changed)).catch((error: McaError) => error);
        if ('code' in outcome) errors += 1;
        if (outcome instanceof Error) expect(outcome).toMatchObject({ name: 'McaError', code: 'file_parse_error' });
        else for (const size of Object.values(outcome)) expect(size).toBe(32);
      }
    }
    expect(errors).toBeGreaterThan(bytes.length / 2);
  });
});

describe('R-051', () => {
  test('R-051 overlapping entries are refused at entry 2, before anything is decoded', async () => {
    for (const { build } of hostileZips().filter(({ reason }) => reason === 'zip_overlap')) {
      const error = await failure(openZip(archiveOf(build())));
      expect(error).toMatchObject({ reason: 'zip_overlap', position: { file: 'export.zip', record: 2 } });
    }
    recordFigure('R-051', 'refused at entry 2');
  });

  test('R-051 an overlap that only a local header shows is refused when the entry is opened', async () => {
    const bytes = makeZip([
      { name: 'a', content, deflate: false },
      { name: 'b', content, deflate: false },
    ]);
    // An extra field of 40 bytes that is not there moves the data of the first entry into the second.
    new DataView(bytes.buffer, bytes.byteOffset).setUint16(28, 40, true);
    const zip = await openZip(archiveOf(bytes));
    expect(await failure(bytesOf(zip.entries[0] as ImportFile))).toMatchObject({
      reason: 'zip_overlap',
      position: { record: 1 },
    });
  });

  test('R-051 archives inside are plain entries', async () => {
    const inner = makeZip([{ name: 'a.csv', content }]);
    const zip = await openZip(archiveOf(makeZip([{ name: 'inner.zip', content: inner }])));
    expect(zip.entries.map(({ name }) => name)).toEqual(['export.zip!inner.zip']);
    expect(await bytesOf(zip.entries[0] as ImportFile)).toEqual(new Uint8Array(inner));
  });
});

test('R-052 names that lead elsewhere are refused; dots within names are not', async () => {
  const names = [
    '../a',
    'a/../../b',
    'a/..',
    '/a',
    '//a',
    'c:a',
    'C:\\a',
    '..\\a',
    'a\\b',
    'a\0b',
    '',
    'n'.repeat(256),
  ];
  for (const name of names) {
    expect((await failure(openZip(archiveOf(makeZip([{ name, content }]))))).reason, JSON.stringify(name)).toBe(
      'zip_entry_name',
    );
  }
  const fine = ['a..b', '..a', 'a/...', './a', 'n'.repeat(255), 'ab:c'];
  const { entries } = await openZip(archiveOf(makeZip(fine.map((name) => ({ name, content })))));
  expect(entries).toHaveLength(fine.length);
  recordFigure('R-052', `${names.length} of ${names.length} names refused, 0 files written`);
});
