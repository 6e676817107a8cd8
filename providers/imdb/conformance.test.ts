import { fileImportConformance, makeZip } from '@mca/core/testing';
import { test } from 'vitest';
import { imdb } from './index.ts';

const two = (value: number): string => String(value).padStart(2, '0');
const many = (make: (index: number) => string): readonly string[] =>
  Array.from({ length: 20 }, (_, index) => make(index));
const about = (n: number): string =>
  `Film ${n},Film ${n},https://www.imdb.com/title/tt990000${two(n)},Movie,7.1,104,2019,"Drama, Sci-Fi",1204,2019-05-02,Ines Vale`;

const formats = {
  ratings: {
    header:
      'Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres,Num Votes,Release Date,Directors',
    rows: many((n) => `tt990000${two(n)},${(n % 10) + 1},2025-03-${two(n + 1)},${about(n)}`),
    bad: `tt99000099,9,2025-02-30,${about(99)}`,
    badValue: '2025-02-30',
  },
  watchlist: {
    header:
      'Position,Const,Created,Modified,Description,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres,Num Votes,Release Date,Directors,Your Rating,Date Rated',
    rows: many(
      (n) => `${n + 1},tt990000${two(n)},2025-03-${two(n + 1)},2025-03-${two(n + 1)},with Ana on Friday,${about(n)},,`,
    ),
    bad: `21,nm99000099,2025-03-01,2025-03-01,,${about(99)},,`,
    badValue: 'nm99000099',
  },
};

for (const [name, { header, rows, bad, badValue }] of Object.entries(formats)) {
  const file = (...lines: readonly string[]) => ({ name: `${name}.csv`, content: [header, ...lines, ''].join('\n') });
  const suite = fileImportConformance({
    provider: imdb(),
    exports: [file(...rows), { name: 'imdb.zip', content: makeZip([file(...rows)]) }],
    withBadRecord: { ...file(...rows, bad), badValue },
    overlapping: [file(...rows.slice(0, 12)), file(...rows.slice(8))],
    personal: ['with Ana on Friday'],
  });
  for (const { id, title, run } of suite) test(`${id} ${name}: ${title}`, run);
}
