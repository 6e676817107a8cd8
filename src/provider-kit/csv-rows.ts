import { Buffer } from 'node:buffer';
import type { Parser } from 'csv-parse';
import type { CsvBatch, MalformedCsvRecord } from './csv-records.ts';
import {
  CSV_RECORD_BYTES_MAX,
  type CsvHeaderLine,
  columnAt,
  scanCsvRecord,
  splitPlainLine,
  unclosedQuote,
} from './csv-scan.ts';
import { fileFailure } from './file-failure.ts';

const BATCH_ROWS = 1_000;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

interface Batch extends CsvBatch {
  readonly rows: (readonly string[])[];
  readonly lines: number[];
  readonly malformed: MalformedCsvRecord[];
}

/** Rows behind the header line; see `readCsv`. */
export interface CsvRows {
  readonly columns: readonly string[];
  /** Reads on. Rejects with `McaError`; what was found before is still there to take. */
  push(text: string, isLast: boolean): Promise<void>;
  /** Batches found since the last call. */
  take(): readonly CsvBatch[];
}

/**
 * Makes the row reader of one file, over the parser of csv-parse.
 *
 * Lines that are plainly one row each, quoted cells included, are split here, in a fraction of the time. From the first
 * line of a chunk that is not, the parser has the rest of the chunk: it knows cells of several lines, and what is wrong.
 *
 * The parser is asked for rows and where each ends; lines are counted here, because it counts CRLF inside quotes twice.
 * After a stray quote it cannot go on in step, so a new one starts on the next line.
 */
export async function createCsvRows(file: string, header: CsvHeaderLine): Promise<CsvRows> {
  const csv = await import('csv-parse');
  const settings = {
    delimiter: header.delimiter,
    record_delimiter: ['\r\n', '\n'],
    max_record_size: CSV_RECORD_BYTES_MAX,
    relax_column_count: true,
    skip_empty_lines: true,
  };
  const headerBytes = Buffer.from(`${header.text}\n`);
  const columns = await parseHeader();
  let parser: Parser | undefined;
  /** Offset in the file of the parser's first row. */
  let parserBase = 0;

  let ready: Batch[] = [];
  let batch: Batch | undefined;
  let records = 0;
  let rows: string[][] = [];
  let ends: number[] = [];
  /** Bytes behind the last complete record, the offset they begin at and the line they begin on. */
  let open: Buffer = Buffer.alloc(0);
  let openStart = 0;
  let line = header.nextLine;
  /** After a malformed row, until its line ends. */
  let isSkipping = false;

  async function parseHeader(): Promise<readonly string[]> {
    const parser = new csv.Parser(settings);
    let found: readonly string[] = [];
    parser.on('error', () => undefined);
    parser.push = (row: readonly string[] | null): boolean => {
      if (row) found = row;
      return true;
    };
    if (((await write(parser, headerBytes)) ?? (await finish(parser))) === undefined) return found;
    throw fileFailure(file, {
      reason: 'csv_syntax',
      message: `The header of ${file}, on line ${header.line}, has a stray quote.`,
      hint: 'Check that this is the file you wanted to import, or download the export again.',
      position: { line: header.line },
    });
  }

  async function start(): Promise<Parser> {
    const parser = new csv.Parser(settings);
    // The error also arrives where the bytes were written.
    parser.on('error', () => undefined);
    let isHeader = true;
    // Taking rows here, not from the stream's buffer, is faster and tells where each one ends.
    parser.push = (row: string[] | null): boolean => {
      if (row && !isHeader) {
        rows.push(row);
        ends.push(parser.info.bytes - headerBytes.length);
      }
      isHeader = false;
      return true;
    };
    // The header first: the parser takes the number of fields from the first row it sees.
    await write(parser, headerBytes);
    return parser;
  }

  function batchFor(isMalformed: boolean): Batch {
    // The rows of a batch are consecutive, so none may follow a malformed one.
    if (batch && (batch.rows.length >= BATCH_ROWS || (!isMalformed && batch.malformed.length > 0))) flush();
    batch ??= { first: records + 1, rows: [], lines: [], malformed: [] };
    return batch;
  }

  function flush(): void {
    if (batch) ready.push(batch);
    batch = undefined;
  }

  function addRow(row: readonly string[], at: number): void {
    if (row.length === columns.length) {
      const target = batchFor(false);
      records += 1;
      target.rows.push(row);
      target.lines.push(at);
    } else if (row.length > 1 || row[0]?.trim() !== '') {
      addMalformed(at, undefined, 'field_count', `has ${row.length} fields instead of ${columns.length}`);
    }
  }

  function addMalformed(at: number, column: number | undefined, reason: string, message: string): void {
    const target = batchFor(true);
    records += 1;
    target.malformed.push({ record: records, line: at, column, reason, message: `Record ${records} ${message}.` });
  }

  /** Takes the rows in front that are plain lines; what is left begins with one that is not, or not complete. */
  function takePlain(text: string, isLast: boolean): string {
    let at = 0;
    while (at < text.length) {
      const lineFeed = text.indexOf('\n', at);
      if (lineFeed === -1 && !isLast) break;
      const next = lineFeed === -1 ? text.length : lineFeed + 1;
      const row = splitPlainLine(text.slice(at, next), header.delimiter);
      if (!row) break;
      if (row.length > 0) addRow(row, line);
      line += 1;
      at = next;
    }
    return text.slice(at);
  }

  /** Index behind blank lines; counts them. */
  function skipBlank(from: number): number {
    let at = from;
    for (;;) {
      if (open[at] === LINE_FEED) at += 1;
      else if (open[at] === CARRIAGE_RETURN && open[at + 1] === LINE_FEED) at += 2;
      else return at;
      line += 1;
    }
  }

  /** Hands out the rows the parser found, with their lines. */
  function settle(): void {
    let at = 0;
    let lineFeed = open.indexOf(LINE_FEED);
    for (let index = 0; index < rows.length; index += 1) {
      const row = rows[index] ?? [];
      at = skipBlank(at);
      if (lineFeed !== -1 && lineFeed < at) lineFeed = open.indexOf(LINE_FEED, at);
      const startLine = line;
      const end = parserBase + (ends[index] ?? 0) - openStart;
      for (; lineFeed !== -1 && lineFeed < end; lineFeed = open.indexOf(LINE_FEED, lineFeed + 1)) line += 1;
      at = end;
      addRow(row, startLine);
    }
    rows = [];
    ends = [];
    advance(at);
  }

  function advance(bytes: number): void {
    open = open.subarray(bytes);
    openStart += bytes;
  }

  /** What is wrong with the record in front. Mostly its own line tells; only an open quote needs the lines behind. */
  function scanOpen(): ReturnType<typeof scanCsvRecord> & { readonly text: string } {
    const scan = (bytes: number) => {
      const text = open.toString('utf8', 0, bytes);
      return { ...scanCsvRecord(text, 0, [header.delimiter]), text };
    };
    const itsLine = scan(Math.min(open.indexOf(LINE_FEED) + 1, CSV_RECORD_BYTES_MAX));
    const isTold = itsLine.stray !== undefined && itsLine.openQuote === undefined;
    return isTold ? itsLine : scan(CSV_RECORD_BYTES_MAX);
  }

  /** Reports what the parser stumbled over; throws when reading cannot go on. */
  function stumble(code: string): void {
    advance(skipBlank(0));
    const { text, openQuote, stray } = scanOpen();
    const position = { line, record: records + 1 };
    if (stray === undefined && openQuote !== undefined) throw unclosedQuote(file, text, openQuote, position);
    if (code === 'CSV_MAX_RECORD_SIZE') {
      throw fileFailure(file, {
        reason: 'record_too_large',
        message: `The row on line ${line} of ${file} is longer than ${CSV_RECORD_BYTES_MAX} bytes.`,
        hint: 'Check that this is the file you wanted to import, or download it again.',
        position,
      });
    }
    // The row is one line: a quote that should not be there says nothing about the lines behind.
    const column = stray === undefined ? undefined : columnAt(text, stray);
    addMalformed(line, column, 'stray_quote', 'has a quote in the wrong place');
    isSkipping = true;
  }

  /** Moves behind the end of a malformed line and starts afresh; false when the line goes on in the next chunk. */
  async function resume(): Promise<boolean> {
    const lineFeed = open.indexOf(LINE_FEED);
    advance(lineFeed === -1 ? open.length : lineFeed + 1);
    if (lineFeed === -1) return false;
    line += 1;
    isSkipping = false;
    parser = await start();
    parserBase = openStart;
    return true;
  }

  return {
    columns,
    async push(text, isLast) {
      let bytes: Buffer = Buffer.from(text);
      if (isSkipping) {
        open = Buffer.concat([open, bytes]);
      } else {
        const rest = takePlain(open.length === 0 ? text : open.toString() + text, isLast);
        bytes = Buffer.from(rest);
        open = bytes;
        const isWaiting = !isLast && bytes.length <= CSV_RECORD_BYTES_MAX && !rest.includes('\n');
        if (rest === '' || isWaiting) return flush();
        parser = await start();
        parserBase = openStart;
      }
      for (;;) {
        if (isSkipping) {
          if (!(await resume())) break;
          bytes = open;
        }
        parser ??= await start();
        const code = (await write(parser, bytes)) ?? (isLast ? await finish(parser) : undefined);
        settle();
        if (code === undefined) break;
        stumble(code);
      }
      flush();
    },
    take() {
      const taken = ready;
      ready = [];
      return taken;
    },
  };
}

/** Writes and waits; the code of the error, if any. */
function write(parser: Parser, bytes: Buffer): Promise<string | undefined> {
  if (bytes.length === 0) return Promise.resolve(undefined);
  return new Promise((resolve) => parser.write(bytes, (error) => resolve(codeOf(error))));
}

function finish(parser: Parser): Promise<string | undefined> {
  return new Promise((resolve) => parser.end((error?: Error | null) => resolve(codeOf(error))));
}

function codeOf(error: Error | null | undefined): string | undefined {
  return error ? String((error as { code?: unknown }).code ?? 'unknown') : undefined;
}
