import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openZip } from '@mca/core/provider-kit';
import { fileOf, makeZip } from '@mca/core/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeExports } from './make-exports.ts';

const script = fileURLToPath(new URL('quickstart.ts', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mca-quickstart-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the quick start as `npm run quickstart` does; without a terminal it draws no progress bar. */
function quickstart(...args: string[]): string {
  const env = { ...process.env, MCA_QUICKSTART_DB: 'mca-quickstart.db', NODE_OPTIONS: '' };
  return execFileSync(
    process.execPath,
    ['--conditions=@mca/source', '--disable-warning=ExperimentalWarning', script, ...args],
    { cwd: folder, env, encoding: 'utf8' },
  );
}

test('the README shows what the quick start prints, to the letter', () => {
  const [, shown = ''] =
    /<!-- quickstart -->\n```text\n([\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];
  expect(shown.trimEnd()).toBe(quickstart().trimEnd());
});

test('a second run inserts nothing', () => {
  const first = totals(quickstart());
  const second = totals(quickstart());
  expect(first[1]).toBeGreaterThan(10_000);
  expect(second[0]).toBe(first[0]);
  expect(second.slice(1, 3)).toEqual([0, 0]);
});

test('a file that cannot be imported is explained, the others are imported', () => {
  const csv = join(folder, 'NetflixViewingHistory.csv');
  writeFileSync(csv, 'Title,Date\n"Sand Hill","3/2/24"\n"Blue Door","1/2/24"\n');
  writeFileSync(join(folder, 'notes.txt'), 'milk');
  expect(() => quickstart(csv)).toThrow();
  expect(
    quickstart(csv, join(folder, 'notes.txt'), join(root, 'examples/quickstart/exports/takeout-youtube.zip')),
  ).toMatch(/dateOrder|netflix-dates/);
  expect(totals(quickstart(csv, '--netflix-dates', 'MDY'))[1]).toBe(2);
});

test('what has no date is told apart, and stretches no chart', () => {
  const zip = join(folder, 'letterboxd.zip');
  const fixtures = join(root, 'providers/letterboxd/__fixtures__');
  const names = ['diary.csv', 'watched.csv', 'ratings.csv'];
  writeFileSync(zip, makeZip(names.map((name) => ({ name, content: readFileSync(join(fixtures, name)) }))));
  const shown = quickstart(zip);
  expect(shown).toMatch(/\(\d of them have no date/);
  expect(shown).toMatch(/^2025 /m);
  expect(shown).not.toMatch(/^(?:1970|2000) /m);
});

test('the bundled exports are what their generator makes', async () => {
  for (const [name, made] of Object.entries(makeExports())) {
    const bundled = readFileSync(new URL(`exports/${name}`, import.meta.url));
    expect(await contents(name, bundled), name).toEqual(await contents(name, made));
  }
});

/** Read, inserted, updated, … of the last line of the table. */
function totals(output: string): number[] {
  const [, line = ''] = /^total +(.*)$/m.exec(output) ?? [];
  return line.split(/ {2,}/).map((cell) => Number(cell.replaceAll(',', '')));
}

/** What is inside: two versions of a compressor may pack the same content differently. */
async function contents(name: string, bytes: Uint8Array): Promise<Record<string, string>> {
  if (!name.endsWith('.zip')) return { [name]: new TextDecoder().decode(bytes) };
  const zip = await openZip(fileOf(name, bytes));
  const entries = await Promise.all(
    zip.entries.map(async (entry) => [entry.name, await new Response(await entry.open()).text()]),
  );
  await zip.close();
  return Object.fromEntries(entries);
}
