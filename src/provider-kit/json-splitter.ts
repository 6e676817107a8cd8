import type { FilePosition } from '../contracts/errors.ts';
import {
  JSON_RECORD_LENGTH_MAX,
  jsonRoot,
  jsonSyntax,
  jsonTooDeep,
  jsonTooLarge,
  jsonTruncated,
} from './json-errors.ts';
import type { JsonRecordBatch, JsonRecordOptions, MalformedJsonRecord } from './json-records.ts';
import { isScalar, JSON_DEPTH_MAX, parseElement, parseElements } from './json-values.ts';

/** Most text parsed at a time: bounds the size of a batch. */
const SLICE_LENGTH = 128 * 1024;
/** How much parsing may be in vain before as much text must have been scanned with care. Bounds the work on hostile files. */
const CREDIT_MAX = 1024 * 1024;
const BATCH_RECORDS_MAX = 2_000;
const SEPARATOR_LENGTH_MAX = 200;

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/** What is expected next. */
type State = 'root' | 'first' | 'value' | 'in-value' | 'first-key' | 'key' | 'in-key' | 'colon' | 'next' | 'done';

interface Frame {
  readonly path: readonly string[];
  /** Its closing bracket. */
  readonly close: number;
  /** Its elements are records; otherwise it is an object on the way to a list. */
  readonly list: boolean;
  /** Records seen. */
  count: number;
}

interface Batch extends JsonRecordBatch {
  readonly records: unknown[];
  readonly keys?: string[];
  readonly malformed: MalformedJsonRecord[];
}

/** Cuts JSON text into records; see `readJsonRecords`. */
export interface JsonSplitter {
  /** Reads on. Throws `McaError`; what was found before is still there to take. */
  push(chunk: string): void;
  /** Says that the text is complete. Throws when the JSON is not. */
  end(): void;
  /** Batches found since the last call. */
  take(): readonly JsonRecordBatch[];
}

/**
 * Makes the splitter of one file.
 *
 * It scans with care, character by character, only where it must: on the way to a list, at chunk borders, around
 * defects. Elsewhere it cuts the text behind what looks like the end of a record and leaves the rest to `JSON.parse`.
 * That is sound: text that starts at an element and parses as `[text]` consists of whole elements, wherever it was cut.
 */
export function createJsonSplitter(file: string, options: JsonRecordOptions): JsonSplitter {
  const { root = 'any', lists } = options;
  const frames: Frame[] = [];
  let ready: Batch[] = [];
  let batch: Batch | undefined;
  let state: State = 'root';
  let key = '';

  let text = '';
  let at = 0;
  /** Characters before `text`. */
  let base = 0;
  let line = 1;
  let lineStart = 0;
  /** Next line feed in `text` that is not counted yet. */
  let lineFeed = -1;

  // The value or key being scanned.
  let kind: 'container' | 'string' | 'scalar' = 'scalar';
  let keep = false;
  let head = '';
  let start = 0;
  let begin: { readonly line: number; readonly column: number } = { line: 1, column: 1 };
  let depth = 0;
  let inString = false;
  let escaped = false;
  const brackets = new Uint8Array(JSON_DEPTH_MAX + 1);

  let credit = CREDIT_MAX;
  /** A cut at the last `}` went wrong once: from now on only a whole {@link separator} is trusted. */
  let isNested = false;
  /** Text from the end of one record to the first key of the next. */
  let separator = 'unknown';
  let lastEnd = -1;

  function locate(index: number): { readonly line: number; readonly column: number } {
    for (; lineFeed !== -1 && lineFeed < index; lineFeed = text.indexOf('\n', lineFeed + 1)) {
      line += 1;
      lineStart = base + lineFeed + 1;
    }
    return { line, column: base + index - lineStart + 1 };
  }

  function place(position: FilePosition): FilePosition {
    const frame = frames.at(-1);
    return frame?.list ? { ...position, record: frame.count + 1 } : position;
  }

  function syntaxError(index: number, what: string): Error {
    return jsonSyntax(file, what, place(locate(index)));
  }

  function batchFor(frame: Frame, malformed: boolean): Batch {
    // The records of a batch are consecutive, so none may follow a malformed one.
    const full = batch && (batch.records.length >= BATCH_RECORDS_MAX || (!malformed && batch.malformed.length > 0));
    if (full) flush();
    const { path, close } = frame;
    batch ??= {
      path,
      first: frame.count + 1,
      records: [],
      malformed: [],
      ...(close === CLOSE_OBJECT ? { keys: [] } : {}),
    };
    return batch;
  }

  function flush(): void {
    if (batch) ready.push(batch);
    batch = undefined;
  }

  function openFrame(path: readonly string[], opener: number, list: boolean, index: number): void {
    if (frames.length >= JSON_DEPTH_MAX) throw jsonTooDeep(file, place(locate(index)));
    const close = opener === OPEN_LIST ? CLOSE_LIST : CLOSE_OBJECT;
    frames.push({ path, close, list, count: 0 });
    state = opener === OPEN_LIST ? 'first' : 'first-key';
    at = index + 1;
    lastEnd = -1;
  }

  function closeFrame(): void {
    flush();
    frames.pop();
    state = frames.length === 0 ? 'done' : 'next';
    at += 1;
    lastEnd = -1;
  }

  function openRoot(code: number): void {
    if (code !== OPEN_LIST && code !== OPEN_OBJECT) {
      if (/[^"\-\dtfn]/.test(text.charAt(at))) throw syntaxError(at, 'unexpected text');
      throw jsonRoot(file, root, 'a single value', locate(at));
    }
    if (code === OPEN_LIST && root === 'object') throw jsonRoot(file, root, 'a list', locate(at));
    if (code === OPEN_OBJECT && root === 'array') throw jsonRoot(file, root, 'an object', locate(at));
    openFrame([], code, code === OPEN_LIST || lists?.([]) === true, at);
  }

  function openValue(code: number): void {
    const frame = frames.at(-1) as Frame;
    const isContainer = code === OPEN_OBJECT || code === OPEN_LIST;
    if (code === COMMA || code === COLON || code === CLOSE_LIST || code === CLOSE_OBJECT) {
      throw syntaxError(at, 'a value is missing');
    }
    if (frame.list) {
      if (code === OPEN_OBJECT && frame.close === CLOSE_LIST && parseMany(frame)) return;
    } else if (isContainer) {
      const path = [...frame.path, key];
      const isList = lists?.(path) === true;
      if (isList || code === OPEN_OBJECT) {
        openFrame(path, code, isList, at);
        return;
      }
    }
    scanFrom(isContainer ? 'container' : code === QUOTE ? 'string' : 'scalar', frame.list);
    state = 'in-value';
  }

  function scanFrom(what: typeof kind, keepIt: boolean): void {
    kind = what;
    // Short and needed to tell garbage from a value, whether or not anybody wants it.
    keep = keepIt || what === 'scalar';
    head = '';
    start = at;
    begin = locate(at);
    depth = 0;
    inString = what === 'string';
    escaped = false;
    if (inString) at += 1;
  }

  /** Parses as many elements as `text` seems to hold whole. */
  function parseMany(frame: Frame): boolean {
    const ahead = text.slice(at, at + SLICE_LENGTH);
    if (isNested && lastEnd >= 0) separator = separatorAt(lastEnd);
    if (credit < ahead.length) return false;
    const cut = isNested ? ahead.lastIndexOf(separator) : ahead.lastIndexOf('}');
    const records = cut > 0 ? parseElements(ahead.slice(0, cut + 1), JSON_DEPTH_MAX - frames.length) : undefined;
    if (!records) {
      // Nothing to parse costs little: the end of a chunk looks like that. A parse in vain must be earned again.
      credit = cut > 0 ? 0 : credit - ahead.length;
      isNested ||= cut > 0;
      return false;
    }
    const target = batchFor(frame, false);
    for (const record of records) target.records.push(record);
    frame.count += records.length;
    lastEnd = at + cut;
    at = lastEnd + 1;
    state = 'next';
    return true;
  }

  function separatorAt(end: number): string {
    const match = /^\}\s*,\s*\{\s*"[^"]*"/.exec(text.slice(end, end + SEPARATOR_LENGTH_MAX));
    return match?.[0] ?? separator;
  }

  /** Moves behind the value; false when it goes on in the next chunk. */
  function scanValue(): boolean {
    const from = at;
    const whole = kind === 'container' ? scanContainer() : kind === 'string' ? scanString() : scanScalar();
    credit = Math.min(CREDIT_MAX, credit + at - from);
    if (keep && head.length + at - start > JSON_RECORD_LENGTH_MAX) throw jsonTooLarge(file, place(begin));
    return whole;
  }

  function scanContainer(): boolean {
    const source = text;
    const { length } = source;
    const room = JSON_DEPTH_MAX - frames.length;
    let index = at;
    let quoted = inString;
    if (escaped && index < length) {
      index += 1;
      escaped = false;
    }
    while (index < length) {
      const code = source.charCodeAt(index);
      index += 1;
      if (quoted) {
        if (code === QUOTE) quoted = false;
        else if (code === BACKSLASH) index += 1;
      } else if (code === QUOTE) {
        quoted = true;
      } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
        depth += 1;
        if (depth > room) throw jsonTooDeep(file, place(locate(index - 1)));
        brackets[depth] = code;
      } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
        // A bracket of the wrong kind closes what it fits: the element is malformed, the ones behind it are not.
        const opener = code === CLOSE_OBJECT ? OPEN_OBJECT : OPEN_LIST;
        while (depth > 0 && brackets[depth] !== opener) depth -= 1;
        if (depth === 0) throw syntaxError(index - 1, 'a bracket does not match');
        depth -= 1;
        if (depth === 0) {
          at = index;
          inString = false;
          return true;
        }
      }
    }
    escaped = index > length;
    inString = quoted;
    at = length;
    return false;
  }

  function scanString(): boolean {
    if (escaped && at < text.length) {
      at += 1;
      escaped = false;
    }
    while (at < text.length) {
      const code = text.charCodeAt(at);
      at += code === BACKSLASH ? 2 : 1;
      if (code === QUOTE) return true;
    }
    escaped = at > text.length;
    at = text.length;
    return false;
  }

  function scanScalar(): boolean {
    while (at < text.length) {
      if (' \t\n\r,]}[{":'.includes(text.charAt(at))) return true;
      at += 1;
    }
    return false;
  }

  function closeValue(): void {
    const frame = frames.at(-1) as Frame;
    const raw = keep ? head + text.slice(start, at) : '';
    state = 'next';
    head = '';
    if (kind === 'scalar' && !isScalar(raw)) throw jsonSyntax(file, 'unexpected text', place(begin));
    if (!frame.list) return;
    const parsed = parseElement(raw, JSON_DEPTH_MAX - frames.length);
    const target = batchFor(frame, !parsed);
    frame.count += 1;
    if (parsed) {
      target.records.push(parsed.value);
      target.keys?.push(key);
    } else {
      const message = `Record ${frame.count} is not valid JSON.`;
      target.malformed.push({ record: frame.count, ...begin, reason: 'invalid_json', message });
    }
    lastEnd = at - 1;
  }

  function closeKey(): void {
    const parsed = parseElement(head + text.slice(start, at), 0);
    head = '';
    if (typeof parsed?.value !== 'string') throw syntaxError(at - 1, 'a key is damaged');
    key = parsed.value;
    state = 'colon';
  }

  function step(code: number): void {
    const frame = frames.at(-1);
    if (state === 'root') {
      openRoot(code);
    } else if (!frame) {
      throw syntaxError(at, 'text after the end');
    } else if ((state === 'first' || state === 'first-key' || state === 'next') && code === frame.close) {
      closeFrame();
    } else if (state === 'first' || state === 'value') {
      openValue(code);
    } else if (state === 'next') {
      if (code !== COMMA) throw syntaxError(at, 'a comma is missing');
      state = frame.close === CLOSE_LIST ? 'value' : 'key';
      at += 1;
    } else if (state === 'colon') {
      if (code !== COLON) throw syntaxError(at, 'a colon is missing');
      state = 'value';
      at += 1;
    } else {
      if (code !== QUOTE) throw syntaxError(at, 'a key is missing');
      scanFrom('string', true);
      state = 'in-key';
    }
  }

  function read(): void {
    for (;;) {
      if (state === 'in-value' || state === 'in-key') {
        if (!scanValue()) return;
        if (state === 'in-value') closeValue();
        else closeKey();
      }
      let code = text.charCodeAt(at);
      while (code === 32 || code === 10 || code === 13 || code === 9) {
        at += 1;
        code = text.charCodeAt(at);
      }
      if (at >= text.length) return;
      step(code);
    }
  }

  return {
    push(chunk) {
      text = chunk;
      at = 0;
      start = 0;
      lastEnd = -1;
      lineFeed = chunk.indexOf('\n');
      try {
        read();
      } finally {
        flush();
      }
      locate(text.length);
      if (keep && (state === 'in-value' || state === 'in-key')) head += text.slice(start);
      base += text.length;
      text = '';
      at = 0;
    },
    end() {
      if (state !== 'done') throw jsonTruncated(file, state === 'in-value' ? begin : undefined, place(locate(0)));
    },
    take() {
      const taken = ready;
      ready = [];
      return taken;
    },
  };
}
