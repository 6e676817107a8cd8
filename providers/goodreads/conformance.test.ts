import { fileImportConformance, makeZip } from '@mca/core/testing';
import { test } from 'vitest';
import { goodreads } from './index.ts';

const two = (value: number): string => String(value).padStart(2, '0');
const header =
  'Book Id,Title,Author,Author l-f,Additional Authors,ISBN,ISBN13,My Rating,Average Rating,Publisher,Binding,Number of Pages,Year Published,Original Publication Year,Date Read,Date Added,Bookshelves,Bookshelves with positions,Exclusive Shelf,My Review,Spoiler,Private Notes,Read Count,Owned Copies';
const row = (n: number, read: string): string =>
  `9000000${two(n)},"Book ${n} (Series, #${n})",Ines Vale,"Vale, Ines",,"=""0306406152""","=""9780306406157""",${n % 6},4.21,Blue Press,Paperback,312,2005,1998,${read},2023/12/24,sea,sea (#1),read,"I cried,<br/>as Ana does",,lent to Ben of 12 Oak Street,1,0`;
const rows = Array.from({ length: 20 }, (_, n) => row(n, n % 4 === 3 ? '' : `2024/03/${two(n + 1)}`));
const file = (...lines: readonly string[]) => ({
  name: 'goodreads_library_export.csv',
  content: [header, ...lines, ''].join('\n'),
});

const suite = fileImportConformance({
  provider: goodreads(),
  exports: [file(...rows), { name: 'goodreads.zip', content: makeZip([file(...rows)]) }],
  withBadRecord: { ...file(...rows, row(99, '2024/02/30')), badValue: '2024/02/30' },
  overlapping: [file(...rows.slice(0, 12)), file(...rows.slice(8))],
  personal: ['as Ana does', 'lent to Ben', '12 Oak Street'],
});
for (const { id, title, run } of suite) test(`${id} ${title}`, run);
