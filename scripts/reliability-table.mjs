// Writes docs/reliability.md from the figures of a run, or checks that the two tell of the same tests.
//   MCA_RELIABILITY_LOG=figures.jsonl npm run test:full && node scripts/reliability-table.mjs figures.jsonl
//   node scripts/reliability-table.mjs --check figures.jsonl
import { readFileSync, writeFileSync } from 'node:fs';

const promised = {
  'R-050': 'archives: caps on size, entries, ratio, counted on real bytes',
  'R-051': 'entries of an archive must not overlap; nested archives stay closed',
  'R-052': 'names in archives are matched, never used as paths',
  'R-053': 'constant memory, however large the file',
  'R-054': 'UTF-8 and UTF-16 with a mark; anything else refused with its byte',
  'R-055': 'an unclosed quote is reported with the line it opened on',
  'R-056': 'k bad records give k reports, and the sums balance',
  'R-057': 'fuzzed files never escape as a raw error, never hang',
  'R-058': 'files cannot change prototypes',
  'R-059': 'nesting deeper than 64 is refused, never a stack overflow',
  'R-060': 'long ids keep all their digits',
  'R-061': 'dates by explicit format; ambiguity is refused, never guessed',
  'R-062': 'CSV export has no formulas and comes back to the same set',
  'R-063': 'overlapping exports give the union in any order',
  'R-064': 'a killed import, repeated, ends like a clean one',
  'R-065': 'cancelling stops soon, and committed pages stay',
  'R-070': 'a page commits whole or not at all, under kill -9',
  'R-071': 'one row per item, however many processes write it',
  'R-072': 'the harness catches broken implementations',
  'R-088': 'adapters behave like the model, step by step',
  'R-094': 'every record is accounted for',
};
const path = new URL('../docs/reliability.md', import.meta.url);
const args = process.argv.slice(2);
const log = args.at(-1);
// The same test may have run with reduced and with full counts: the last run counts.
const figures = new Map();
for (const line of readFileSync(log, 'utf8').trim().split('\n')) {
  const { id, test, figure } = JSON.parse(line);
  // Figures of requirements that are not promised yet are not claimed.
  if (!(id in promised)) continue;
  const key = `${id} ${test}`;
  const before = figures.get(key);
  // Several figures of one test differ in their words; numbers are what a later run replaces.
  const shape = figure.replace(/[\d.,]+/g, '#');
  figures.set(key, { id, test, byShape: new Map(before?.byShape).set(shape, figure) });
}

const missing = Object.keys(promised).filter((id) => ![...figures.values()].some((figure) => figure.id === id));
if (missing.length > 0) {
  console.error(`No figure was measured for ${missing.join(', ')}.`);
  process.exit(1);
}

const rows = [...figures.values()]
  .toSorted((a, b) => a.id.localeCompare(b.id) || a.test.localeCompare(b.test))
  .map(({ id, test, byShape }) => ({ id, test: test.split(' > ').at(-1), figure: [...byShape.values()].join('<br>') }));

if (args.includes('--check')) {
  const document = readFileSync(path, 'utf8');
  const untold = rows.filter(({ id, test }) => !document.includes(`| ${id} |`) || !document.includes(escaped(test)));
  for (const { id, test } of untold) console.error(`docs/reliability.md does not tell of ${id}: ${test}`);
  if (untold.length === 0) console.log(`docs/reliability.md tells of all ${rows.length} tests.`);
  process.exit(untold.length > 0 ? 1 : 0);
}

function escaped(text) {
  return text.replaceAll('|', '\\|');
}

const sections = Object.entries(promised).map(([id, what]) => {
  const own = rows.filter((row) => row.id === id);
  return own
    .map(({ test, figure }, index) => `| ${id} | ${index === 0 ? what : ''} | ${escaped(test)} | ${escaped(figure)} |`)
    .join('\n');
});
writeFileSync(
  path,
  `# Reliability

What the SDK must survive, the test that proves it, and what the last full run measured. Written by \`scripts/reliability-table.mjs\` from a run of \`npm run test:full\`; do not edit.

Each harness proves that it can fail: crash tests run against broken implementations as well (R-072), fuzzed files must still yield items in at least 30 % of cases, known numbers of defects and of records are compared with what is reported.
Memory is the high-water mark of a child process started with \`--max-old-space-size=128 --max-semi-space-size=16\`: without the second flag V8's young generation grows with running time, not with the size of the file.

| id | what must hold | test | measured |
| --- | --- | --- | --- |
${sections.join('\n')}

Delivery to hooks and through the change feed is at least once. Rows in the store are effectively once per (user, platform, external id), because items and position commit together under a unique key.
SQLite runs in WAL mode with \`synchronous=FULL\`: a committed page survives the death of the process and of the machine. With \`synchronous: 'normal'\` the last commits may be lost in a power cut, never on a crash.
`,
);
console.log(`docs/reliability.md: ${rows.length} tests.`);
