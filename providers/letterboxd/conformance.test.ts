import { fileImportConformance, makeZip } from '@mca/core/testing';
import { test } from 'vitest';
import { letterboxd } from './index.ts';

const two = (value: number): string => String(value).padStart(2, '0');
const code = (kind: string, index: number): string => `https://boxd.it/${kind}${String.fromCharCode(97 + index)}`;
const many = (make: (index: number) => string): readonly string[] =>
  Array.from({ length: 20 }, (_, index) => make(index));

const formats = {
  diary: {
    header: 'Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date',
    rows: many(
      (n) => `2025-03-${two(n + 2)},Film ${n % 7},2019,${code('9d', n)},3.5,,"cinema, late",2025-03-${two(n + 1)}`,
    ),
    bad: '2025-03-02,Blue Door,2019,https://boxd.it/9zz,3.5,,,2025-02-30',
    badValue: '2025-02-30',
  },
  ratings: {
    header: 'Date,Name,Year,Letterboxd URI,Rating',
    rows: many((n) => `2025-03-${two(n + 1)},Film ${n},2019,${code('4f', n)},${(n % 10) / 2 + 0.5}`),
    bad: '2025-03-02,Blue Door,2019,https://boxd.it/4zz,6.75',
    badValue: '6.75',
  },
  watched: {
    header: 'Date,Name,Year,Letterboxd URI',
    rows: many((n) => `2025-03-${two(n + 1)},Film ${n},2019,${code('4f', n)}`),
    bad: '31.3.2025,Blue Door,2019,https://boxd.it/4zz',
    badValue: '31.3.2025',
  },
  films: {
    header: 'Date,Name,Year,Letterboxd URI',
    rows: many((n) => `2025-03-${two(n + 1)},Film ${n},2019,${code('4f', n)}`),
    bad: '2025-03-02,Blue Door,MMXIX,https://boxd.it/4zz',
    badValue: 'MMXIX',
  },
  watchlist: {
    header: 'Date,Name,Year,Letterboxd URI',
    rows: many((n) => `2025-03-${two(n + 1)},Film ${n},2019,${code('4f', n)}`),
    bad: 'soon,Blue Door,2019,https://boxd.it/4zz',
    badValue: 'soon',
  },
};

const profile = {
  name: 'profile.csv',
  content: 'Date Joined,Username,Email\n2020-01-01,ana-the-user,ana@example.invalid\n',
};

for (const [name, { header, rows, bad, badValue }] of Object.entries(formats)) {
  const file = (...lines: readonly string[]) => ({ name: `${name}.csv`, content: [header, ...lines, ''].join('\n') });
  const suite = fileImportConformance({
    provider: letterboxd(),
    exports: [file(...rows), { name: 'letterboxd-ana.zip', content: makeZip([profile, file(...rows)]) }],
    withBadRecord: { ...file(...rows, bad), badValue },
    overlapping: [file(...rows.slice(0, 12)), file(...rows.slice(8))],
    personal: ['ana-the-user', 'ana@example.invalid'],
  });
  for (const { id, title, run } of suite) test(`${id} ${name}: ${title}`, run);
}
