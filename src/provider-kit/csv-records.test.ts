import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { constantMemory } from '../../test/support/constant-memory.ts';
import { recordFigure } from '../../test/support/reliability.ts';
import type { McaError } from '../contracts/errors.ts';
import type { ImportFile } from '../contracts/import-file.ts';
import { fileOf } from '../testing/import-files.ts';
import { type CsvBatch, readCsv, readCsvHeader } from './csv-records.ts';
import { createCsvRows } from './csv-rows.ts';
import { findCsvHeader } from './csv-scan.ts';

const isFull = process.env.MCA_TEST_FULL === '1';
const RUNS = isFull ? 20_000 : 1_000;

async function collect(content: string | ImportFile): Promise<CsvBatch[]> {
  const batches: CsvBatch[] = [];
  const file = typeof content === 'string' ? fileOf('file.csv', content) : content;
  for await (const batch of readCsv(file)) batches.push(batch);
  return batches;
}

async function failure(content: string): Promise<McaError> {
  return collect(content).then(
    () => expect.fail('nothing was thrown'),
    (error: McaError) => error,
  );
}

const rows = (batches: readonly CsvBatch[]): (readonly string[])[] => batches.flatMap((batch) => [...batch.rows]);
const lines = (batches: readonly CsvBatch[]): number[] => batches.flatMap((batch) => [...batch.lines]);
const malformed = (batches: readonly CsvBatch[]) => batches.flatMap((batch) => [...batch.malformed]);

function checkNumbers(batches: readonly CsvBatch[]): void {
  let next = 1;
  for (const { first, rows, lines, malformed } of batches) {
    expect(first).toBe(next);
    expect(lines).toHaveLength(rows.length);
    for (const [index, bad] of malformed.entries()) expect(bad.record).toBe(first + rows.length + index);
    next = first + rows.length + malformed.length;
  }
}

describe('readCsvHeader', () => {
  test.each([
    ['a,b;c,d\n', ',', ['a', 'b;c', 'd']],
    ['\ufeff\n\r\n"a;b;c;d"\tb\r\n1\t2', '\t', ['a;b;c;d', 'b']],
    ['Titel;"Datum, ""Ort"", Zeit";Land', ';', ['Titel', 'Datum, "Ort", Zeit', 'Land']],
    ['"Title\nover two lines",Date\n', ',', ['Title\nover two lines', 'Date']],
    ['Title\n', ',', ['Title']],
  ])('%j has the delimiter %j', async (text, delimiter, columns) => {
    expect(await readCsvHeader(fileOf('file.csv', text, 2))).toEqual({ columns, delimiter });
  });

  test.each([
    ['', 'csv_empty', 1],
    ['a,b\r1,2\r3,4', 'csv_line_ends', 1],
    ['a,b\r1,2\n3,4', 'csv_line_ends', 1],
    [' \n\r\n', 'csv_empty', 1],
    ['\n'.repeat(400_000), 'csv_empty', 1],
    ['\n\na,"b\n', 'csv_unclosed_quote', 3],
    ['\na,b"c\n', 'csv_syntax', 2],
    ['x'.repeat(200_000), 'record_too_large', 1],
    [`a,"${'x'.repeat(200_000)}`, 'csv_unclosed_quote', 1],
  ])('%# is refused as %s on line %i', async (text, reason, line) => {
    for (const read of [readCsvHeader(fileOf('file.csv', text)), collect(text)]) {
      await expect(read).rejects.toMatchObject({ code: 'file_parse_error', reason, position: { line } });
    }
  });
});

describe('readCsv', () => {
  test('blank lines are skipped, line breaks and quotes inside fields stay', async () => {
    const text = '\n a , b \r\n\r\n"x ""y""\r\nz",1\n\n  \n"",\r\n"2\n\n3",é';
    const batches = await collect(text);
    expect(rows(batches)).toEqual([
      ['x "y"\r\nz', '1'],
      ['', ''],
      ['2\n\n3', 'é'],
    ]);
    expect(lines(batches)).toEqual([4, 8, 9]);
    expect(malformed(batches)).toEqual([]);
  });

  test(`whatever a writer writes comes back, wherever it is cut (${RUNS} files)`, async () => {
    const cell = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('', '"', '\n', '\r\n', ',', 'é😀', ' "x" '),
    );
    const file = fc.integer({ min: 1, max: 5 }).chain((width) =>
      fc.record({
        rows: fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 12 }),
        delimiter: fc.constantFrom(',', ';', '\t'),
        newline: fc.constantFrom('\n', '\r\n'),
        blank: fc.nat(2),
        isAllQuoted: fc.boolean(),
        hasEnd: fc.boolean(),
        cuts: fc.array(fc.nat(), { maxLength: 6 }),
      }),
    );
    const property = fc.asyncProperty(
      file,
      async ({ rows: content, delimiter, newline, blank, isAllQuoted, hasEnd, cuts }) => {
        // Encoding is another test's subject; a lone surrogate is no text.
        const cells = content.map((row) => row.map((value) => value.toWellFormed()));
        const width = cells[0]?.length ?? 0;
        const header = Array.from({ length: width }, (_, n) => `c${n}`);
        // A row of one cell that is blank looks like a blank line unless quoted.
        const mustQuote = (value: string): boolean => isAllQuoted || /[",;\t\r\n]/.test(value) || value.trim() === '';
        const write = (value: string): string => (mustQuote(value) ? `"${value.replaceAll('"', '""')}"` : value);
        let text = header.join(delimiter) + newline;
        const starts: number[] = [];
        cells.forEach((row, index) => {
          text += newline.repeat(index % 2 === 0 ? blank : 0);
          starts.push(text.split('\n').length);
          text += row.map(write).join(delimiter) + (hasEnd || index < cells.length - 1 ? newline : '');
        });
        const found = findCsvHeader(text, true);
        if (!found || 'openQuote' in found) return expect.fail('no header');
        const reader = await createCsvRows('file', found);
        const rest = text.slice(found.end);
        const borders = [...new Set(cuts.map((cut) => cut % (rest.length + 1)))].sort((a, b) => a - b);
        let start = 0;
        // Text comes in whole characters.
        for (const border of borders.filter((at) => !/[\udc00-\udfff]/.test(rest.charAt(at)))) {
          await reader.push(rest.slice(start, border), false);
          start = border;
        }
        await reader.push(rest.slice(start), true);
        const batches = [...reader.take()];
        checkNumbers(batches);
        expect(malformed(batches)).toEqual([]);
        expect(rows(batches)).toEqual(cells);
        expect(lines(batches)).toEqual(starts);
      },
    );
    await fc.assert(property, { numRuns: RUNS });
  });

  test('rows with other numbers of fields and stray quotes are reported, the others survive', async () => {
    const body = Array.from({ length: 20_000 }, (_, n) => `${n},"t ""${n}""",x`);
    const bad: Record<number, [string, string, number | undefined]> = {
      0: ['1,2', 'field_count', undefined],
      1: ['a"b,2,3', 'stray_quote', 2],
      4998: ['1,2,3,4', 'field_count', undefined],
      4999: ['1,"two"x,3', 'stray_quote', 8],
      5000: ['1,"never closed,3', 'stray_quote', undefined],
      19999: ['","', 'field_count', undefined],
    };
    for (const [index, [line]] of Object.entries(bad)) body[Number(index)] = line;
    const batches = await collect(`a,b,c\n${body.join('\n')}`);
    checkNumbers(batches);
    const reported = malformed(batches);
    expect(reported.map(({ record, line, reason }) => [record - 1, line - 2, reason])).toEqual(
      Object.entries(bad).map(([index, [, reason]]) => [Number(index), Number(index), reason]),
    );
    for (const { record, column } of reported) {
      const wanted = bad[record - 1]?.[2];
      if (wanted !== undefined) expect(column).toBe(wanted);
    }
    expect(reported[0]?.message).toBe('Record 1 has 2 fields instead of 3.');
    expect(rows(batches)).toHaveLength(20_000 - 6);
    expect(lines(batches).at(-1)).toBe(20_000);
  });

  test('a malformed row may lie across chunks, at the end, and next to another', async () => {
    const long = `x"${'y'.repeat(70_000)}`;
    const batches = await collect(`a,b\n1,2\n${long},2\n${long}\n3,4\nx"`);
    checkNumbers(batches);
    expect(rows(batches)).toEqual([
      ['1', '2'],
      ['3', '4'],
    ]);
    expect(malformed(batches).map(({ line, column }) => [line, column])).toEqual([
      [3, 2],
      [4, 2],
      [6, 2],
    ]);
  });

  test('messages hold nothing of the content', async () => {
    const batches = await collect('a,b\nMy "Secret" Show,1\nSecret\n"Secret"x,2\n');
    expect(malformed(batches)).toHaveLength(3);
    expect(JSON.stringify(malformed(batches))).not.toContain('Secret');
    const error = await failure(`a,b\n"Secret${'x'.repeat(200_000)}`);
    expect(JSON.stringify(error)).not.toContain('Secret');
  });

  test('batches hold up to a thousand rows and come as they are read', async () => {
    const file = fileOf('file.csv', `a,b\n${'1,2\n'.repeat(100_000)}`);
    const sizes: number[] = [];
    for await (const { rows } of readCsv(file)) sizes.push(rows.length);
    expect(Math.max(...sizes)).toBe(1_000);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(100_000);
  });

  test('R-055 a row of more than 128 KiB is too large', async () => {
    const limit = 128 * 1024;
    const error = await failure(`a,b\n1,2\n${'x'.repeat(limit + 1)},2\n3,4`);
    expect(error).toMatchObject({ reason: 'record_too_large', position: { line: 3, record: 2 } });
    expect(rows(await collect(`a,b\n1,2\n${'x'.repeat(limit - 10)},2\n3,4`))).toHaveLength(3);
  });

  test('R-055 an unclosed quote on line 3 of a million lines is reported with that line, without reading them', async () => {
    const block = new TextEncoder().encode('Some Show,2024-01-01\n'.repeat(3_000));
    let sent = 0;
    const file: ImportFile = {
      name: 'file.csv',
      open: () =>
        new ReadableStream({
          start: (controller) =>
            controller.enqueue(new TextEncoder().encode('Title,Date\nA Show,2024-01-01\nA Show,"2024-01-01\n')),
          pull(controller) {
            sent += 1;
            if (sent > 333) controller.close();
            else controller.enqueue(block);
          },
        }),
    };
    const before = process.memoryUsage().rss;
    const start = performance.now();
    const error = await collect(file).catch((caught: McaError) => caught);
    const ms = Math.round(performance.now() - start);
    const growth = Math.round((process.memoryUsage().rss - before) / 1024 / 1024);
    expect(error).toMatchObject({
      reason: 'csv_unclosed_quote',
      position: { file: 'file.csv', line: 3, column: 8, record: 2 },
    });
    // 128 KiB and what was read ahead of it.
    expect(sent).toBeLessThanOrEqual(8);
    expect(growth).toBeLessThanOrEqual(80);
    recordFigure('R-055', `line 3 of 1,000,000; ${sent} of 333 blocks read; ${ms} ms; RSS +${growth} MiB`);
  });

  test('R-055 a quote that stays open to the end is reported with the line it opened on', async () => {
    const error = await failure('a,b\n1,2\n\n"x\ny",2\n3,\n4,"z\n\n');
    expect(error).toMatchObject({ reason: 'csv_unclosed_quote', position: { line: 7, column: 3 } });
    const quoted = await failure('a,b\n1,"x\ny","z\n\n');
    expect(quoted).toMatchObject({ reason: 'csv_unclosed_quote', position: { line: 3, column: 4 } });
  });

  // Would take minutes if each bad row cost a pass over what follows; the time-out is the guard.
  test('work stays linear with a bad row in ten', { timeout: 20_000 }, async () => {
    const batches = await collect(`a,b\n${`${'1,2\n'.repeat(9)}x"y,2\n`.repeat(3_000)}`);
    expect(malformed(batches)).toHaveLength(3_000);
    expect(rows(batches)).toHaveLength(27_000);
  });

  test('an aborted signal ends it before the next batch', async () => {
    const controller = new AbortController();
    const file = fileOf('file.csv', `a,b\n${'1,2\n'.repeat(100_000)}`);
    const reading = async (): Promise<void> => {
      for await (const _ of readCsv(file, { signal: controller.signal })) controller.abort();
    };
    await expect(reading()).rejects.toMatchObject({ code: 'cancelled' });
  });
});

test(`R-053 constant memory: a CSV file of ${isFull ? '1 GiB' : '64 MiB'}`, { timeout: 300_000 }, async () => {
  const growth = await constantMemory('csv', isFull ? 1024 : 64);
  expect(growth).toBeLessThanOrEqual(64);
  recordFigure('R-053', `CSV file of ${isFull ? '1 GiB' : '64 MiB'}: RSS grew by ${growth} MiB`);
});
