import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitPlainLine } from './csv-scan.ts';

describe('splitPlainLine', () => {
  test.each([
    ['a,b,c\n', ['a', 'b', 'c']],
    ['a,"b, c",\r\n', ['a', 'b, c', '']],
    ['"say ""hi""",,""', ['say "hi"', '', '']],
    ['a\rb,c\r', ['a\rb', 'c\r']],
    ['\r\n', []],
  ])('%j', (line, cells) => {
    expect(splitPlainLine(line, ',')).toEqual(cells);
  });

  test.each(['"goes on,b\n', 'a"b,c\n', '"a"b,c\n', '"a" ,b\n', `${'x'.repeat(200_000)}\n`])(
    'leaves to the parser: %.20s',
    (line) => {
      expect(splitPlainLine(line, ',')).toBeUndefined();
    },
  );

  test('what it splits, csv-parse splits alike', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', 'é', '😀', ' ', '"', ';', '\r', '""', '\0'), maxLength: 6 });
    let plain = 0;
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1, maxLength: 5 }), fc.boolean(), (cells, isQuoted) => {
        const line = `${cells.map((text) => (isQuoted ? `"${text}"` : text)).join(';')}\n`;
        const found = splitPlainLine(line, ';');
        if (!found || found.length === 0) return;
        plain += 1;
        const settings = { delimiter: ';', record_delimiter: ['\r\n', '\n'], relax_column_count: true };
        expect([found]).toEqual(parse(line, settings));
      }),
      { numRuns: 2_000 },
    );
    expect(plain).toBeGreaterThan(600);
  });
});
