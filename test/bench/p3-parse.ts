import { join } from 'node:path';
import { generateNetflix, generateYouTube } from './generate-files.ts';
import { interleave, table } from './harness.ts';

const MEGABYTES = 100;
const YOUTUBE_ROWS = 200_000;

/** P3: reading and normalising without a store, against the bare parsers. */
export function parseBench(folder: string, rounds: number): string {
  const netflix = generateNetflix(join(folder, 'netflix'), MEGABYTES);
  const activity = interleave(
    [
      { name: 'bare limit: csv-parse stream', script: './parse-bare-csv.ts', args: [netflix.path] },
      { name: 'importFile, netflix, no store', script: './parse-ours.ts', args: ['netflix', netflix.path] },
    ],
    rounds,
  );
  const youtube = generateYouTube(join(folder, 'youtube'), YOUTUBE_ROWS);
  const watches = interleave(
    [
      { name: 'bare limit: JSON.parse', script: './parse-bare-json.ts', args: [youtube] },
      { name: 'importFile, youtube, no store', script: './parse-ours.ts', args: ['youtube', youtube] },
    ],
    rounds,
  );
  const rows = netflix.rows.toLocaleString('en-US');
  return [
    table(`P3 ViewingActivity.csv, ${MEGABYTES} MB, ${rows} rows`, activity, { count: netflix.rows, of: 'rows' }),
    table(`P3 watch-history.json, ${YOUTUBE_ROWS.toLocaleString('en-US')} rows`, watches, {
      count: YOUTUBE_ROWS,
      of: 'rows',
    }),
  ].join('\n');
}
