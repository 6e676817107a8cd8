import { type CsvBatch, type ImportFile, readCsv } from '@mca/core/provider-kit';

/** The tally gives up on a file with more bad rows than this, and a larger share of them. */
const BAD_ROWS_ALLOWED = 50;
const BAD_SHARE_ALLOWED = 0.01;

/** Rows for the first look at a file; ends where the second one will refuse the file, because bad rows are slow to read. */
export async function* readAhead(file: ImportFile, signal: AbortSignal): AsyncGenerator<CsvBatch> {
  let read = 0;
  let bad = 0;
  for await (const batch of readCsv(file, { signal })) {
    yield batch;
    bad += batch.malformed.length;
    read += batch.rows.length + batch.malformed.length;
    if (bad > BAD_ROWS_ALLOWED && bad > read * BAD_SHARE_ALLOWED) return;
  }
}
