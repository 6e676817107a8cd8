import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { machine } from './harness.ts';

const FILE = new URL('../../docs/performance.md', import.meta.url);

/** What each section is about; the figures stand below. */
const SECTIONS: readonly { readonly name: string; readonly title: string; readonly about: string }[] = [
  {
    name: 'p1',
    title: 'Importing into SQLite',
    about: `An extended Spotify history in files of 16,000 plays goes through \`importFile\` into a SQLite file (WAL, \`synchronous=FULL\`). The
limit is what a program without a library would do: \`JSON.parse\` of each whole file and one prepared insert per row, all in one
transaction, the same rows into the same table. Both databases are compared after every run. Targets: at most 1.25 × the limit in one
thread, the first time and again; at most 240 MB, whatever the size of the export.

- V8 doubles its young generation, up to 128 MB, each time as much as it holds has outlived collections. Items that wait for their
  commit did so all the time: 214 to 295 MB at 1,000,000 plays. So a page ends after 2,000 items, or earlier where V8 is about to
  collect, and an import leaves V8 a turn to do so. What outlives a collection then is about 40 KB, and first imports of 200,000 and
  1,000,000 plays take the same. A step of 30 MB may still come: from about 1,700,000 plays, and where 1,000,000 come again. Where a
  runtime does not tell how full its heap is, pages are 2,000 items.
- V8 may also come to believe that items live long, from the first thousands of them, and make them in its old generation: worth 30 to
  80 MB and 8 % CPU time. It takes that from what outlives collections as well; \`node --no-allocation-site-pretenuring\` forbids it to.
- The second time, a page is compared with the stored rows of its range of ids and nothing is written: half the cost of an upsert that
  finds its row equal.
- First imports wait for the disk: where fsync is slow or the disk is shared, compare the CPU ratio.
- A worker thread for parsing is not built; a trial outside of this repository came to 0.70 × the limit with one.`,
  },
  {
    name: 'p3',
    title: 'Parsing and normalising',
    about: `A file goes through \`importFile\` with a store that keeps nothing: recognising, parsing, normalising, checking and counting. Targets:
at most 1.5 × a bare csv-parse stream for Netflix; at least 150,000 rows per CPU second for YouTube.

- The CSV file is read twice: shows that have seasons are looked for first. Lines that are plainly one row each are split by our own
  code, five times faster than csv-parse; everything else, and what is wrong with it, is left to csv-parse.
- The JSON limit neither checks nor normalises anything, and holds the whole file.`,
  },
  {
    name: 'p5-nothing-new',
    title: 'Syncing when nothing is new',
    about: `One connection that is up to date, over a history of growing length in a SQLite file (WAL, \`synchronous=FULL\`): the service
sends the 50 plays of the last day, all of them known. The service answers from memory, so that all of the time is ours. Target: at
10,000,000 plays at most 1.2 × the time at 10,000. That size is measured with \`MCA_BENCH_LARGE=1\` only: its file has 2 GB.`,
  },
  {
    name: 'p6-live',
    title: 'Asking services, and syncing many connections',
    about: `A server in a process of its own answers every request with the same 50 plays, at once. The limit is \`fetch\` and
\`Response.json()\`, for connections with a prepared insert per play and a transaction per page, into the same table and with
\`synchronous=FULL\` too; 32 connections at a time. Targets: connections at most 3 × the limit; no limiter where no limit is declared,
which the bench asserts.

- A sync is more than its page: claiming the turn, a lease and giving it back, opening sealed credentials, the sync log, the plan for
  the next turn, each durable on its own. Where fsync is slow, compare the CPU ratio.
- With nothing new the limit writes nothing at all, and need not wait for the disk. It also does not know when it last looked.
- Limiters are made at the first request of a connection. \`dropped\` is after a minute of rest: what is left of 10,000 of them, each.
- \`MCA_BENCH_SCALE=0.1\` tries the bench out with a tenth of everything and writes no figures.`,
  },
  {
    name: 'p7',
    title: 'Starting',
    about: `The built root entry is imported into an empty program. Targets: at most 25 ms and 8 MB more than Node alone, and
\`zod\`, \`ky\`, \`oauth4webapi\`, \`bottleneck\` and all other packages loaded by nobody before they are needed, which the bench asserts.`,
  },
];

/** Writes `docs/performance.md`. Sections that were not measured this time stay as they are. */
export function writeFigures(measured: ReadonlyMap<string, string>, rounds: number): void {
  const before = existsSync(FILE) ? readFileSync(FILE, 'utf8') : '';
  const sections = SECTIONS.map(({ name, title, about }) => {
    const figures = measured.get(name);
    const [start, end] = [`<!-- figures of ${name} -->`, `<!-- end of ${name} -->`];
    const old = before.includes(start)
      ? before.slice(before.indexOf(start) + start.length, before.indexOf(end)).trim()
      : '';
    const body = figures === undefined ? old : `Measured on ${machine()}; ${rounds} rounds.\n\n${figures.trim()}`;
    return `## ${title}\n\n${about}\n\n${start}\n${body || 'Not measured yet.'}\n${end}\n`;
  });
  writeFileSync(FILE, `${INTRODUCTION}\n${sections.join('\n')}`);
}

const INTRODUCTION = `# Performance

Written by \`npm run bench\`; \`npm run bench -- p3\` measures one section and leaves the others. \`-- --keep\` keeps the generated files, and
\`MCA_BENCH_ROUNDS\` changes the number of rounds.

Absolute times belong to the machine; **ratios** tell something. Each table compares us with the least that any program would have to do,
the limit, which is its first line. Both run in turn, in processes of their own, from generated files. \`ratio\` is median by median of
wall time, \`CPU ratio\` of CPU time of all threads; the peak is the most resident memory of a run (VmHWM): the
median, and in brackets the worst of all runs. Rates are per CPU second.
`;
