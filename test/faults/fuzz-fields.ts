import { seeds } from './fuzz-seeds.ts';

/** Characters that some pattern repeats, separates by or escapes. */
export const REPEATED: readonly string[] = [
  ...[',', ';', '"', '<', '>', '?', '#', '&', ' ', '\n', '\t', '{', '[', '\\', ':', '-', '/', 'a', '0'],
];

/** A file in which one text of one record was replaced. */
export interface LongField {
  readonly name: string;
  readonly field: string;
  readonly content: string;
}

/** Every text of the first records of every seed, each replaced in a file of its own; and the whole file. */
export function* longFields(provider: keyof typeof seeds, text: string): Generator<LongField> {
  for (const [name, content] of seeds[provider]) {
    yield { name, field: 'the whole file', content: text };
    // Ends within the 64 KiB that files are recognised by, where a line without an end is not looked at.
    yield { name, field: 'the first line', content: `${text.slice(0, 40_000)}\n${text}` };
    if (name.endsWith('.csv')) yield* csvFields(name, content, text);
    else if (name.endsWith('.html')) yield* htmlFields(name, content, text);
    else if (name.endsWith('.jsonl')) yield* jsonFields(name, content.split('\n')[0] ?? '', text);
    else yield* jsonFields(name, content, text);
  }
}

function* jsonFields(name: string, content: string, text: string): Generator<LongField> {
  for (const path of pathsOf(JSON.parse(content), [])) {
    const value = JSON.parse(content);
    const parent = path.slice(0, -1).reduce((at, key) => at[key], value);
    parent[path.at(-1) ?? ''] = text;
    yield { name, field: path.join('.'), content: JSON.stringify(value) };
  }
}

/** Texts of a JSON value; of lists only those of the first element. */
function pathsOf(value: unknown, path: readonly string[]): string[][] {
  if (typeof value === 'string' || value === null) return [[...path]];
  if (typeof value !== 'object') return [];
  const entries = Object.entries(value as object);
  return (Array.isArray(value) ? entries.slice(0, 1) : entries).flatMap(([key, child]) =>
    pathsOf(child, [...path, key]),
  );
}

/** Longer rows are refused as a whole before any field is looked at. */
const CSV_ROW_MAX = 120 * 1024;

function* csvFields(name: string, content: string, text: string): Generator<LongField> {
  const [header = '', row = '', ...rows] = content.split(/\r?\n/);
  const cells = row.match(/"[^"]*"|[^,]+|(?<=,)(?=,|$)/g) ?? [];
  for (const index of cells.keys()) {
    for (const length of index === 0 ? [text.length, CSV_ROW_MAX] : [CSV_ROW_MAX]) {
      // Its end, which may be what makes a pattern fail.
      const long = text.slice(-length);
      for (const cell of [long, `"${long.replaceAll('"', '""').slice(-length)}"`]) {
        const damaged = cells.map((each, at) => (at === index ? cell : each)).join(',');
        yield { name, field: `column ${index + 1}`, content: [header, damaged, ...rows].join('\n') };
      }
    }
  }
  yield { name, field: 'the header', content: [text, row, ...rows].join('\n') };
}

function* htmlFields(name: string, content: string, text: string): Generator<LongField> {
  const marks = ['YouTube', 'Watched&nbsp;', 'A &amp; B 0', 'watch?v=', 'Rope Lab', 'Aug 10, 2026', 'CEST', '<br>'];
  for (const mark of marks) yield { name, field: mark, content: content.replace(mark, () => text) };
}
