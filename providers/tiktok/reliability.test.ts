import fc from 'fast-check';
import { expect, test } from 'vitest';
import { collectImport, fileOf } from '../../src/testing/import-files.ts';
import { recordFigure } from '../../test/support/reliability.ts';
import { tiktok } from './index.ts';

const capability = tiktok().capabilities.fileImport;
const isFull = process.env.MCA_TEST_FULL === '1';
const row = (id: string, seconds = 0): string =>
  `{"Date":"${new Date(Date.UTC(2026, 4, 14) + seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')}","Link":"https://www.tiktokv.com/share/video/${id}/"}`;
const exportOf = (watch: readonly string[], likes: readonly string[] = []): string =>
  `{"Your Activity":{"Watch History":{"VideoList":[${watch.join(',\n')}]}},"Likes and Favorites":{"Like List":{"App":1233,"ItemFavoriteList":[${likes.join(',\n').toLowerCase()}]}}}`;
const importText = (text: string | Uint8Array, chunk?: number) =>
  collectImport(capability, [fileOf('user_data_tiktok.json', text, chunk)]);

test('R-054 ten encodings are read exactly or refused at the byte that does not fit', async () => {
  const titled = (title: string) =>
    `{"Your Activity":{"Watch History":{"VideoList":[{"Title":"${title}","Date":"2026-05-14 21:03:11","Link":"https://www.tiktok.com/@a/video/7301234567890123456"}]}}}`;
  const text = titled('Knöten 🪢');
  const [before = '', after = ''] = titled('|').split('|');
  const raw = (...bytes: number[]): Uint8Array =>
    Buffer.concat([Buffer.from(before), Uint8Array.from(bytes), Buffer.from(after)]);
  const utf16 = Buffer.from(text, 'utf16le');
  const utf16be = Buffer.from(utf16).swap16();
  const utf32 = Uint8Array.from(
    [...text].flatMap((sign) =>
      [sign.codePointAt(0) ?? 0].flatMap((code) => [code & 255, (code >> 8) & 255, code >> 16, 0]),
    ),
  );
  const encodings: readonly (readonly [string, Uint8Array, 'same' | number])[] = [
    ['UTF-8', Buffer.from(text), 'same'],
    ['UTF-8 with mark', Buffer.from(`\uFEFF${text}`), 'same'],
    ['UTF-16LE with mark', Buffer.concat([Uint8Array.of(0xff, 0xfe), utf16]), 'same'],
    ['UTF-16BE with mark', Buffer.concat([Uint8Array.of(0xfe, 0xff), utf16be]), 'same'],
    ['UTF-16LE without mark', utf16, 1],
    ['UTF-16BE without mark', utf16be, 0],
    ['UTF-32LE', Buffer.concat([Uint8Array.of(0xff, 0xfe, 0, 0), utf32]), 0],
    ['Windows-1252', raw(0x4b, 0x6e, 0xf6, 0x74), before.length + 2],
    ['Shift_JIS', raw(0x83, 0x4e, 0x83, 0x89), before.length],
    ['GB 18030', raw(0xb5, 0xe7, 0xd3, 0xb0), before.length],
  ];
  let right = 0;
  for (const [name, bytes, outcome] of encodings) {
    const { items, errors } = await importText(bytes, 7);
    const refusal = {
      code: 'file_parse_error',
      reason: 'invalid_encoding',
      position: expect.objectContaining({ byte: outcome }),
    };
    expect({ name, titles: items.map(({ title }) => title), errors }).toEqual(
      outcome === 'same'
        ? { name, titles: ['Knöten 🪢'], errors: [] }
        : { name, titles: [], errors: [expect.objectContaining(refusal)] },
    );
    right += 1;
  }
  recordFigure('R-054', `TikTok JSON: ${right}/10 encodings`);
});

const defects = [
  `{"Date":"2026-02-30 00:00:00","Link":"https://www.tiktok.com/@a/video/7301234567890123456"}`,
  `{"Date":"soon","Link":"https://www.tiktok.com/@a/video/7301234567890123456"}`,
  `{"Date":"2026-05-14 00:00:00","Link":"https://example.org/video/7301234567890123456"}`,
  `{"Date":"2026-05-14 00:00:00","Link":17}`,
  '"text"',
  '{"Date": oops}',
];

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
  const check = fc.asyncProperty(marks, fc.integer({ min: 1, max: 900 }), async (kinds, chunk) => {
    const k = kinds.filter((kind) => typeof kind === 'number').length;
    fc.pre(k <= 50);
    const skips = kinds.filter((kind) => kind === 'skip').length;
    // A file that is bad from its first row on is refused; that is another test. So is one with more than 50 bad rows.
    const rows = ['good', ...kinds].map((kind, index) =>
      kind === 'good'
        ? row('7301234567890123456', index)
        : kind === 'skip'
          ? '{"Date":"N/A","Link":"N/A"}'
          : (defects[Number(kind)] ?? ''),
    );
    const { read, items, rejected, errors, skipped } = await importText(exportOf(rows), chunk);
    expect(errors).toEqual([]);
    expect([read, items.length, rejected.length, skipped.placeholder ?? 0]).toEqual([
      rows.length,
      rows.length - k - skips,
      k,
      skips,
    ]);
    const places = kinds.flatMap((kind, index) => (typeof kind === 'number' ? [index + 2] : []));
    expect(rejected.map(({ record }) => record ?? 0).sort((a, b) => a - b)).toEqual(places);
    reports += k;
  });
  await fc.assert(check, { numRuns: runs });
  recordFigure('R-056', `TikTok JSON: ${runs} files, ${reports} defects, ${reports} reports, all balanced`);
});

test('R-060 all digits of 19-digit ids survive, in links and as keys', async () => {
  const runs = isFull ? 10_000 : 300;
  const id = fc.bigInt({ min: 10n ** 18n, max: 2n ** 63n - 1n }).map(String);
  const check = fc.asyncProperty(id, id, async (video, live) => {
    const text = `{"Your Activity":{"Watch History":{"VideoList":[{"Date":"2026-05-14 00:00:00","Link":"https://www.tiktokv.com/share/video/${video}/"}]}},
      "TikTok Live":{"Watch Live History":{"WatchLiveMap":{"${live}":{"WatchTime":"2026-05-14 00:00:00"}}}}}`;
    const { items } = await importText(text);
    expect(items.map(({ contentId }) => contentId).sort()).toEqual([video, live].sort());
    expect(items[0]?.ids.tiktok).toBe(video);
    expect(items.map(({ externalId }) => externalId.split(':')[1]).sort()).toEqual([video, live].sort());
  });
  await fc.assert(check, {
    numRuns: runs,
    examples: [
      ['7301234567890123457', '7643768707189771030'],
      ['9007199254740993000', '9007199254740993001'],
    ],
  });
  recordFigure('R-060', `TikTok: ${runs * 2} random 19-digit ids, 100 % exact`);
});

test('R-063 three overlapping exports give one set in all six orders', async () => {
  const id = (n: number): string => `73012345678901${String(10_000 + n)}`;
  const span = (from: number, to: number): string => {
    const numbers = Array.from({ length: to - from }, (_, index) => to - 1 - index);
    // Every fifth video is watched again at once: equal ids, different seconds.
    const watch = numbers.flatMap((n) =>
      n % 5 === 0 ? [row(id(n), n * 60 + 20), row(id(n), n * 60)] : [row(id(n), n * 60)],
    );
    return exportOf(
      watch,
      numbers.filter((n) => n % 3 === 0).map((n) => row(id(n), n * 60 + 5)),
    );
  };
  const exports = [span(0, 100), span(60, 160), span(130, 200)];
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  const sets: unknown[] = [];
  for (const order of orders) {
    const union = new Map<string, unknown>();
    for (const index of order) {
      for (const item of (await importText(exports[index] ?? '')).items)
        if (!union.has(item.externalId)) union.set(item.externalId, item);
    }
    sets.push([...union].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  expect(sets[0]).toHaveLength(200 + 40 + 67);
  for (const set of sets) expect(set).toEqual(sets[0]);
  recordFigure('R-063', 'TikTok: identical set in 6/6 orders');
});
