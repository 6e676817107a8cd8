// Writes docs/reliability.md from the figures of a run, or checks that the two tell of the same tests.
//   MCA_RELIABILITY_LOG=figures.jsonl npm run test:full && node scripts/reliability-table.mjs figures.jsonl
//   node scripts/reliability-table.mjs --check figures.jsonl
import { readFileSync, writeFileSync } from 'node:fs';

const promised = {
  'R-001': 'one refresh in flight per connection in a process',
  'R-002': 'one refresh across processes',
  'R-003': 'the refresh lease outlives slow services and sleeping holders',
  'R-004': 'whoever gets the lease reads again before refreshing',
  'R-005': 'a slower refresher never overwrites newer tokens',
  'R-006': 'tokens are refreshed ahead of expiry, whatever lifetime is said',
  'R-007': 'a refused token is refreshed once and tried once more',
  'R-008': 'an answer without a refresh token keeps the old one',
  'R-009': 'new tokens are durable before anybody uses them',
  'R-010': 'only what is final ends a connection; outages keep the tokens',
  'R-011': 'a lost answer leads to one more try, then to the user',
  'R-012': 'the end of a consent is told 14 and 3 days ahead',
  'R-013': 'a connect state works once, for the one it was made for',
  'R-014': 'PKCE S256 on every code flow',
  'R-015': 'redirect addresses come from configuration, byte for byte',
  'R-016': 'answers of another issuer are refused',
  'R-017': 'token endpoints: no redirects, small, typed errors',
  'R-018': 'missing scopes are named before the first call',
  'R-019': 'disconnecting deletes secrets, whatever the service says',
  'R-020': 'secrets never print',
  'R-021': 'secrets in addresses are redacted',
  'R-022': 'an envelope opens only where it belongs, and only whole',
  'R-023': 'no plain text, unknown key or wrong key is ever taken',
  'R-024': 'keys are rotated under load and under kill -9',
  'R-025': 'a key service that is down for a while does no harm',
  'R-026': 'no keys, no construction',
  'R-027': 'every write has a key and an IV of its own',
  'R-030': 'a dead service is not asked three times as often',
  'R-031': 'a write is never sent again by itself',
  'R-032': 'every form of Retry-After; nothing sleeps longer than a minute',
  'R-033': 'no window holds more requests than the limit',
  'R-034': 'time-outs and cancelling end in time, sockets close',
  'R-035': 'answers are capped by their decoded bytes',
  'R-036': 'credentials never follow a redirect to another origin',
  'R-037': 'a user-given address never reaches the private network',
  'R-038': 'base URLs of users are checked',
  'R-039': 'a service that is down is left alone',
  'R-040': "expiry is reckoned by the service's clock",
  'R-041': 'hostile JSON does no harm',
  'R-042': 'after close nothing keeps the process alive',
  'R-043': 'no host is called that is not listed',
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
  'R-073': 'a cursor that cannot be read falls back, never to nothing',
  'R-074': 'page tokens that run out lose nothing',
  'R-075': 'plays that are told late are found',
  'R-076': 'a date in the future hides nothing',
  'R-077': 'a worker that lost its lease writes nothing',
  'R-078': 'clocks that differ never make two owners',
  'R-079': 'the work of a killed worker is taken over',
  'R-080': 'a bad record is parked; many stop the page',
  'R-081': 'a failure half-way keeps what arrived',
  'R-082': 'a wait the service asked for outlives the process',
  'R-084': 'what keeps failing becomes a dead letter, with its error',
  'R-085': 'what is new comes before what is old',
  'R-086': 'one seed, one trace',
  'R-087': 'thirty virtual days of faults, and nothing missing',
  'R-088': 'adapters behave like the model, step by step',
  'R-089': 'broken connections become typed errors',
  'R-090': 'many processes start at once: one migration',
  'R-091': 'durability is as documented',
  'R-092': 'clocks that step do no harm',
  'R-093': 'SIGTERM ends between two pages',
  'R-094': 'every record is accounted for',
  'R-095': 'a hundred thousand syncs leave nothing behind',
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
The simulation (R-087) breaks itself on purpose as well, and every seed can be run again: \`MCA_SEED=17 npx vitest run test/faults/simulation.test.ts\`.
Memory is the high-water mark of a child process started with \`--max-old-space-size=128 --max-semi-space-size=16\`: without the second flag V8's young generation grows with running time, not with the size of the file.

| id | what must hold | test | measured |
| --- | --- | --- | --- |
${sections.join('\n')}

Delivery to hooks and through the change feed is at least once. Rows in the store are effectively once per (user, platform, external id), because items and position commit together under a unique key.
SQLite runs in WAL mode with \`synchronous=FULL\`: a committed page survives the death of the process and of the machine. With \`synchronous: 'normal'\` the last commits may be lost in a power cut, never on a crash.
`,
);
console.log(`docs/reliability.md: ${rows.length} tests.`);
