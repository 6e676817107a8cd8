import { describe, expect, test } from 'vitest';
import { cellOf, columnOf, listOf, sampleRows, webPageMistake } from './csv-columns.ts';

const sampleOf = (text: string) => ({ name: 'a.csv', path: 'a.csv', text });

test('columns are found whatever their case and the spaces around', () => {
  const columns = ['Date', ' Watched Date ', 'NAME'];
  expect(columnOf(columns, 'name')).toBe(2);
  expect(columnOf(columns, 'title', 'watched date')).toBe(1);
  expect(columnOf(columns, 'title')).toBe(-1);
});

test('cells and lists in them', () => {
  expect([cellOf([' a ', 'b'], 0), cellOf(['a'], 1), cellOf(['a'], -1)]).toEqual(['a', '', '']);
  expect(listOf(' sea, late  night,,sea ,')).toEqual(['sea', 'late  night']);
  expect(listOf('')).toEqual([]);
});

describe('the first rows of a file', () => {
  test.each([
    ['commas', 'a,b,c\n1,2,3\n'],
    ['semicolons', 'a;b;c\n1;2;3\n'],
    ['tabs', 'a\tb\tc\r\n1\t2\t3'],
    ['blank lines in front', '\n \na,b,c\n1,2,3\n'],
  ])('%s', (_, text) =>
    expect(sampleRows(sampleOf(text))).toEqual([
      ['a', 'b', 'c'],
      ['1', '2', '3'],
    ]),
  );

  test('delimiters inside quotes are text, doubled quotes one', () => {
    expect(sampleRows(sampleOf('"a;b;c",d\n"1,""2""",3\n'))).toEqual([
      ['a;b;c', 'd'],
      ['1,"2"', '3'],
    ]);
  });

  test('a row of several lines comes as rows that say nothing', () => {
    expect(sampleRows(sampleOf('a,b\n"1\nx",2\n3,4\n'))).toEqual([['a', 'b'], [], [], ['3', '4']]);
  });

  test('the last line of a long sample may be cut, and is left out', () => {
    const rows = sampleRows(sampleOf(`a,b\n${'1,2\n'.repeat(5_000)}3,`));
    expect(rows).toHaveLength(5_001);
    expect(rows.at(-1)).toEqual(['1', '2']);
  });

  test('nothing, and a line of nothing but delimiters', () => {
    expect(sampleRows(sampleOf(''))).toEqual([]);
    expect(sampleRows(sampleOf(','.repeat(10_000)))[0]).toHaveLength(256);
  });
});

test('a web page is told from a table', () => {
  const { matches, names } = webPageMistake('Export it.');
  for (const text of ['<!DOCTYPE html><p>', '\n <HTML lang="en">', '<head>'])
    expect(matches(sampleOf(text))).toBe(true);
  for (const text of ['', 'a,b', 'html,body', '<htmlish>']) expect(matches(sampleOf(text))).toBe(false);
  expect(names.test('page.html')).toBe(false);
});
