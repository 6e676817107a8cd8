import fc from 'fast-check';
import { expect, test } from 'vitest';
import { collectImport, fileOf } from '../../src/testing/import-files.ts';
import { recordFigure } from '../../test/support/reliability.ts';
import { netflix } from './index.ts';

const capability = netflix().capabilities.fileImport;
const isFull = process.env.MCA_TEST_FULL === '1';
const bytesOf = (...parts: (string | readonly number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Uint8Array.from(part))));
const utf16be = (text: string): Uint8Array => Buffer.from(text, 'utf16le').swap16();
const utf32le = (text: string): Uint8Array =>
  Uint8Array.from(
    [...text].flatMap((sign) =>
      [sign.codePointAt(0) ?? 0].flatMap((code) => [code & 255, (code >> 8) & 255, code >> 16, 0]),
    ),
  );

const csv = 'Title,Date\r\n"Dürre: Staffel 2 – Teil B: Spanien","14.09.24"\r\n"Blaue Tür","13.09.24"\r\n';
const start = 'Title,Date\r\n"';
const row = '","14.09.24"\r\n';

// Ten encodings: what the import makes of each, `invalid` with the byte that gives it away.
const encodings: Readonly<Record<string, readonly [Uint8Array, 'same' | number]>> = {
  'UTF-8': [bytesOf(csv), 'same'],
  'UTF-8 with mark': [bytesOf('\uFEFF', csv), 'same'],
  'UTF-16LE with mark': [bytesOf([0xff, 0xfe], [...Buffer.from(csv, 'utf16le')]), 'same'],
  'UTF-16BE with mark': [bytesOf([0xfe, 0xff], [...utf16be(csv)]), 'same'],
  'UTF-16LE without mark': [Buffer.from(csv, 'utf16le'), 1],
  'UTF-16BE without mark': [utf16be(csv), 0],
  'UTF-32LE': [bytesOf([0xff, 0xfe, 0, 0], [...utf32le(csv)]), 0],
  'Windows-1252': [bytesOf(start, 'D', [0xfc], 'rre ', [0x96], ' Teil', row), 14],
  Shift_JIS: [bytesOf(start, [0x83, 0x4e, 0x83, 0x89], row), 13],
  'GB 18030': [bytesOf(start, [0xb5, 0xe7, 0xd3, 0xb0], row), 13],
};

test('R-054 ten encodings are read exactly or refused at the byte that does not fit', async () => {
  const expected = (await collectImport(capability, [fileOf('h.csv', csv)])).items;
  expect(expected.map(({ title }) => title)).toEqual(['Spanien', 'Blaue Tür']);
  let right = 0;
  for (const [name, [bytes, outcome]] of Object.entries(encodings)) {
    const { items, errors } = await collectImport(capability, [fileOf('h.csv', bytes, 7)]);
    if (outcome === 'same') expect({ name, items, errors }).toEqual({ name, items: expected, errors: [] });
    else {
      const refusal = {
        code: 'file_parse_error',
        reason: 'invalid_encoding',
        position: expect.objectContaining({ byte: outcome }),
      };
      expect({ name, items, errors }).toEqual({ name, items: [], errors: [expect.objectContaining(refusal)] });
    }
    right += 1;
  }
  recordFigure('R-054', `Netflix CSV: ${right}/10 encodings`);
});

/** Ways to damage one row without damaging the file. */
const defects = [
  '"Blue Door","99/99/2024"',
  '"Blue Door","soon"',
  '"","14/09/2024"',
  '"Blue Door"',
  '"Blue Door","14/09/2024",x',
  '"Blue "Door","14/09/2024"',
];
const activityDefects = [
  'Ana,2026-02-30 20:31:07,00:41:12,,Blue Door,,TV,,,',
  'Ana,now,00:41:12,,Blue Door,,TV,,,',
  'Ana,2026-02-01 20:31:07,long,,Blue Door,,TV,,,',
  'Ana,2026-02-01 20:31:07,00:41:12,,,,TV,,,',
  'Ana,2026-02-01 20:31:07,00:41:12',
  'Ana,2026-02-01 20:31:07,00:41:12,,Blue "Door",,TV,,,',
];
const activityHeader =
  'Profile Name,Start Time,Duration,Attributes,Title,Supplemental Video Type,Device Type,Bookmark,Latest Bookmark,Country';
const skippedRow = 'Ana,2026-02-01 20:30:30,00:00:21,,Sand Hill_hook_primary_16x9,HOOK,TV,,,';

const files = {
  'NetflixViewingHistory.csv': {
    header: 'Title,Date',
    good: (n: number) => `"Title ${n}","${(n % 15) + 13}/10/2024"`,
    defects,
    skips: '"Season 1 Trailer: X","20/10/2024"',
  },
  'ViewingActivity.csv': {
    header: activityHeader,
    good: (n: number) => `Ana,2026-02-01 20:${10 + (n % 50)}:07,00:41:12,,Title ${n},,TV,,,`,
    defects: activityDefects,
    skips: skippedRow,
  },
};

test('R-056 a file with k random defects gives k reports, and the counts add up', async () => {
  const runs = isFull ? 10_000 : 300;
  const marks = fc.array(
    fc.oneof(
      { weight: 12, arbitrary: fc.constant('good') },
      { weight: 1, arbitrary: fc.constant('skip') },
      { weight: 2, arbitrary: fc.nat(5) },
    ),
    { maxLength: 120, size: 'max' },
  );
  let reports = 0;
  const check = fc.asyncProperty(
    fc.constantFrom(...(Object.keys(files) as (keyof typeof files)[])),
    marks,
    fc.integer({ min: 1, max: 900 }),
    async (name, kinds, chunk) => {
      const { header, good, defects: bad, skips } = files[name];
      // A file that is bad from its first row on is refused; that is another test. So is one with more than 50 bad rows.
      const rows = ['good', ...kinds].map((kind, index) =>
        kind === 'good' ? good(index) : kind === 'skip' ? skips : (bad[Number(kind)] ?? ''),
      );
      const k = kinds.filter((kind) => typeof kind === 'number').length;
      fc.pre(k <= 50);
      const skipCount = kinds.filter((kind) => kind === 'skip').length;
      const { read, items, rejected, errors, skipped } = await collectImport(capability, [
        fileOf(name, [header, ...rows, ''].join('\n'), chunk),
      ]);
      expect(errors).toEqual([]);
      expect([read, items.length, rejected.length, skipped.trailer ?? 0]).toEqual([
        rows.length,
        rows.length - k - skipCount,
        k,
        skipCount,
      ]);
      const places = kinds.flatMap((kind, index) => (typeof kind === 'number' ? [index + 2] : []));
      expect(rejected.map(({ record }) => record ?? 0).sort((a, b) => a - b)).toEqual(places);
      expect(rejected.map(({ line }) => line ?? 0).sort((a, b) => a - b)).toEqual(places.map((place) => place + 1));
      reports += k;
    },
  );
  await fc.assert(check, { numRuns: runs });
  recordFigure('R-056', `Netflix CSV: ${runs} files, ${reports} defects, ${reports} reports, all balanced`);
});

/** All orders of three things. */
const orders = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;

/** What a store makes of imports in this order: one item per key, the longest time spent wins. */
async function unionOf(contents: readonly string[], order: readonly number[], name: string) {
  const union = new Map<string, unknown>();
  const spent = new Map<string, number>();
  for (const index of order) {
    const { items, errors } = await collectImport(capability, [fileOf(name, contents[index] ?? '')]);
    expect(errors).toEqual([]);
    for (const item of items) {
      if (union.has(item.externalId) && (item.timeSpentMs ?? 0) <= (spent.get(item.externalId) ?? 0)) continue;
      union.set(item.externalId, item);
      spent.set(item.externalId, item.timeSpentMs ?? 0);
    }
  }
  return [...union].sort(([a], [b]) => (a < b ? -1 : 1));
}

test('R-063 three overlapping exports give one set in all six orders', async () => {
  const day = (n: number): string =>
    `"Sand Hill: Season 2: Part ${n % 7}","2024-${String(1 + Math.floor(n / 28)).padStart(2, '0')}-${String(1 + (n % 28)).padStart(2, '0')}"`;
  // Newest first; every third day has a second view of the same title. The day of the download may be half over.
  const history = (from: number, to: number, isHalf: boolean): string =>
    [
      'Title,Date',
      ...Array.from({ length: to - from }, (_, index) => to - 1 - index).flatMap((n) =>
        n % 3 === 0 && !(isHalf && n === to - 1) ? [day(n), day(n)] : [day(n)],
      ),
    ].join('\n');
  const histories = [history(0, 100, false), history(50, 151, true), history(120, 200, false)];
  // The longest play of a row wins: the first export was made while it was running.
  const activity = (from: number, to: number, spent: string): string =>
    [
      activityHeader,
      ...Array.from({ length: to - from }, (_, index) =>
        `Ana,2026-02-01 ${String(10 + Math.floor((to - 1 - index) / 60)).padStart(2, '0')}:${String((to - 1 - index) % 60).padStart(2, '0')}:07,${index === 0 ? spent : '00:41:12'},,"Sand Hill: Season 2: Part ${index % 7}",,TV,,,`.replace(
          /Part \d/,
          `Part ${(to - 1 - index) % 7}`,
        ),
      ),
    ].join('\n');
  const activities = [activity(0, 100, '00:05:00'), activity(50, 150, '00:06:00'), activity(120, 200, '00:07:00')];
  const sets: [readonly string[], string, number][] = [
    [histories, 'NetflixViewingHistory.csv', 200 + 67],
    [activities, 'ViewingActivity.csv', 200],
  ];
  for (const [contents, name, size] of sets) {
    const first = await unionOf(contents, orders[0], name);
    expect(first).toHaveLength(size);
    for (const order of orders) expect(await unionOf(contents, order, name)).toEqual(first);
  }
  recordFigure('R-063', 'Netflix: short and full format, identical set in 6/6 orders each');
});
