import v8 from 'node:v8';
import { describe, expect, test, vi } from 'vitest';
import { recordFigure } from '../../test/support/reliability.ts';
import type { McaError } from '../contracts/errors.ts';
import type { ImportFile } from '../contracts/import-file.ts';
import { fileOf } from '../testing/import-files.ts';
import { readCsv } from './csv-records.ts';
import { readJsonRecords } from './json-records.ts';
import { decodeText } from './text.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const utf16 = (text: string, isBig: boolean): Uint8Array => {
  const bytes = new Uint8Array(text.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < text.length; i += 1) view.setUint16(i * 2, text.charCodeAt(i), !isBig);
  return bytes;
};
const utf32 = (text: string, isBig: boolean): Uint8Array => {
  const points = [...text].map((char) => char.codePointAt(0) ?? 0);
  const bytes = new Uint8Array(points.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, point] of points.entries()) view.setUint32(i * 4, point, !isBig);
  return bytes;
};
const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0) & 0xff);
const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

async function collect(file: ImportFile): Promise<string> {
  let text = '';
  for await (const chunk of decodeText(file)) text += chunk;
  return text;
}

async function failure(work: Promise<unknown>): Promise<McaError> {
  return work.then(
    () => expect.fail('nothing was thrown'),
    (error: McaError) => error,
  );
}

const CONTENTS = {
  CSV: 'Title,Date\n"Amélie, 😀",2024-01-02\nプレイ,2024-01-03\n',
  JSON: '[{"title":"Amélie, 😀"},\n {"title":"プレイ"}]',
  text: 'Amélie, 😀\nプレイ\n',
};

/** What becomes of each encoding: read, or refused at a byte that does not fit. */
const ENCODINGS: readonly { name: string; encode: (text: string) => Uint8Array; byte?: (text: string) => number }[] = [
  { name: 'UTF-8', encode: utf8 },
  { name: 'UTF-8 with mark', encode: (text) => utf8(`\ufeff${text}`) },
  { name: 'UTF-16LE with mark', encode: (text) => utf16(`\ufeff${text}`, false) },
  { name: 'UTF-16BE with mark', encode: (text) => utf16(`\ufeff${text}`, true) },
  { name: 'UTF-16LE without mark', encode: (text) => utf16(text, false), byte: () => 1 },
  { name: 'UTF-16BE without mark', encode: (text) => utf16(text, true), byte: () => 0 },
  { name: 'UTF-32LE with mark', encode: (text) => utf32(`\ufeff${text}`, false), byte: () => 0 },
  { name: 'UTF-32BE with mark', encode: (text) => utf32(`\ufeff${text}`, true), byte: () => 0 },
  { name: 'Latin-1', encode: latin1, byte: (text) => text.indexOf('é') },
  { name: 'UTF-8 cut off', encode: (text) => utf8(`${text}é`).subarray(0, -1), byte: (text) => utf8(text).length },
];

async function readAs(format: string, file: ImportFile): Promise<string> {
  const cells: unknown[] = [];
  if (format === 'JSON') for await (const { records } of readJsonRecords(file)) cells.push(...records);
  else if (format === 'CSV') for await (const { rows } of readCsv(file)) cells.push(...rows);
  else return collect(file);
  return JSON.stringify(cells);
}

describe('R-054 encodings: 10 encodings x 3 formats', () => {
  test.each(Object.entries(CONTENTS))('R-054 %s is read, or refused with the byte offset', async (format, text) => {
    const cells = '[["Amélie, 😀","2024-01-02"],["プレイ","2024-01-03"]]';
    const whole = format === 'text' ? text : format === 'JSON' ? JSON.stringify(JSON.parse(text)) : cells;
    for (const { name, encode, byte } of ENCODINGS) {
      const file = fileOf('file', encode(text), 3);
      if (!byte) {
        expect(await readAs(format, file), name).toBe(whole);
        continue;
      }
      const error = await failure(readAs(format, file));
      const before = name === 'UTF-8 cut off' ? text : text.slice(0, byte(text));
      const line = before.split('\n').length;
      expect(error, name).toMatchObject({ code: 'file_parse_error', reason: 'invalid_encoding' });
      expect(error.position, name).toEqual({ file: 'file', byte: byte(text), line });
    }
    recordFigure('R-054', `${format}: ${ENCODINGS.length}/${ENCODINGS.length} encodings`);
  });
});

describe('decodeText', () => {
  test('is safe wherever chunks end', async () => {
    const text = `${'é😀プa'.repeat(30_000)}`;
    for (const size of [1_021, 65_535, 65_536, 65_537, 262_143, 1_000_000]) {
      expect(await collect(fileOf('file', utf8(text), size))).toBe(text);
      expect(await collect(fileOf('file', utf16(`\ufeff${text}`, false), size))).toBe(text);
      expect(await collect(fileOf('file', utf16(`\ufeff${text}`, true), size))).toBe(text);
    }
  });

  test('R-054 finds the first invalid byte wherever it lies', async () => {
    const good = utf8('é😀プ\n'.repeat(20_000));
    const bad: [string, number[]][] = [
      ['a lone continuation byte', [0x80]],
      ['an overlong form', [0xc0, 0xaf]],
      ['an overlong form of three', [0xe0, 0x9f, 0xbf]],
      ['a surrogate', [0xed, 0xa0, 0x80]],
      ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
      ['an impossible byte', [0xff]],
      ['a character cut short', [0xf0, 0x9f, 0x98]],
    ];
    for (const [name, bytes] of bad) {
      for (const at of [0, 10, 65_530, 65_540, 131_070, 140_000]) {
        // A line is ten bytes: only between characters.
        const start = at - (at % 10);
        const content = join(good.subarray(0, start), Uint8Array.from(bytes), utf8('x'), good.subarray(start));
        for (const size of [4_093, 65_536]) {
          const error = await failure(collect(fileOf('file', content, size)));
          expect(error.position, `${name} at ${start}`).toMatchObject({ byte: start, line: start / 10 + 1 });
        }
      }
    }
  });

  test('R-054 finds half a surrogate pair and an odd last byte of UTF-16', async () => {
    const mark = Uint8Array.of(0xff, 0xfe);
    const good = utf16('é😀\n'.repeat(20_000), false);
    for (const units of [1, 4, 8_191, 16_384, 32_767, 32_768, 50_000]) {
      const whole = units - (units % 4);
      const lone = join(mark, good.subarray(0, whole * 2), Uint8Array.of(0x3d, 0xd8), good.subarray(whole * 2));
      expect((await failure(collect(fileOf('f', lone, 997)))).position).toMatchObject({
        byte: 2 + whole * 2,
        line: whole / 4 + 1,
      });
      const odd = join(mark, good.subarray(0, whole * 2), Uint8Array.of(0x61));
      expect((await failure(collect(fileOf('f', odd, 997)))).position).toMatchObject({ byte: 2 + whole * 2 });
    }
  });

  test.each([
    { state: 'is far from collecting', used: 0, least: 32 * 1024, most: 64 * 1024 },
    { state: 'is about to collect', used: 9, least: 8 * 1024, most: 32 * 1024 },
  ])('hands on strings of $least to $most characters while V8 $state, whatever the source does', async (each) => {
    const [used, free] = [each.used, 10 - each.used].map((part) => part * 4_000_000);
    const space = { space_name: 'new_space', space_used_size: used, space_available_size: free };
    const told = vi.spyOn(v8, 'getHeapSpaceStatistics').mockReturnValue([space] as v8.HeapSpaceInfo[]);
    const lengths: number[] = [];
    for await (const chunk of decodeText(fileOf('file', 'x'.repeat(1_000_000), 1_000))) lengths.push(chunk.length);
    for await (const chunk of decodeText(fileOf('file', 'x'.repeat(1_000_000), 900_000))) lengths.push(chunk.length);
    told.mockRestore();
    expect(Math.max(...lengths)).toBeLessThanOrEqual(each.most);
    expect(lengths.filter((length) => length < each.least).length).toBeLessThanOrEqual(3);
  });

  test('an empty file is empty text', async () => {
    expect(await collect(fileOf('file', ''))).toBe('');
    expect(await collect(fileOf('file', '\ufeff'))).toBe('');
  });

  test('cancels the stream when the reader stops early', async () => {
    let cancelled = 0;
    const file = {
      name: 'file',
      open: () =>
        new ReadableStream<Uint8Array>({
          pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(97)),
          cancel() {
            cancelled += 1;
          },
        }),
    };
    for await (const chunk of decodeText(file)) if (chunk) break;
    expect(cancelled).toBe(1);
  });

  test('an abort ends a read that never answers, and an open that never does', async () => {
    let cancelled = 0;
    const silent = new ReadableStream<Uint8Array>({
      cancel() {
        cancelled += 1;
      },
    });
    for (const open of [() => silent, () => new Promise<never>(() => undefined)]) {
      const controller = new AbortController();
      const { signal } = controller;
      const pending = failure(decodeText({ name: 'file', open }, { signal }).next());
      queueMicrotask(() => queueMicrotask(() => controller.abort(new Error('enough'))));
      expect(await pending).toMatchObject({ code: 'cancelled', position: { file: 'file' } });
    }
    expect(cancelled).toBe(1);
  });

  test('a signal that fired before opens nothing', async () => {
    const file = { name: 'file', open: () => expect.fail('opened') };
    const error = await failure(decodeText(file, { signal: AbortSignal.abort() }).next());
    expect(error.code).toBe('cancelled');
  });

  test('a source that fails is file_unreadable, with the cause kept from logs', async () => {
    const cause = new Error('ENOENT: /home/ada/secret.csv');
    const error = await failure(collect({ name: 'file', open: () => Promise.reject(cause) }));
    expect(error).toMatchObject({ code: 'file_parse_error', reason: 'file_unreadable' });
    expect(JSON.stringify(error)).not.toContain('secret');
  });
});
