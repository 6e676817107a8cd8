// The limit: a file stream piped through csv-parse, rows counted. Argument: file
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import { measure } from './harness.ts';

const [file = ''] = process.argv.slice(2);
let rows = -1;
await measure(
  async () => {
    const parser = createReadStream(file).pipe(parse());
    parser.on('data', () => {
      rows += 1;
    });
    await once(parser, 'end');
  },
  () => String(rows),
);
