// The limit: JSON.parse of the whole file, rows counted. Argument: file
import { readFileSync } from 'node:fs';
import { measure } from './harness.ts';

const [file = ''] = process.argv.slice(2);
let rows = 0;
await measure(
  () => {
    rows = (JSON.parse(readFileSync(file, 'utf8')) as unknown[]).length;
  },
  () => String(rows),
);
