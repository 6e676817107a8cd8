/** Containers inside one another, the root counted. */
export const JSON_DEPTH_MAX = 64;

/** Integers of this many digits may not fit a double; they arrive as strings. */
const LONG_DIGITS = 16;

/** Not `\d{16}`: written out, V8 looks at every eighth character only, which makes it five times faster. */
const LONG_RUN = /\d\d\d\d\d\d\d\d\d\d\d\d\d\d\d\d/;

const MINUS = 45;
const ZERO = 48;
const BACKSLASH = 92;

/**
 * Parses the text of some list elements with the commas between them.
 *
 * @param room - how deep the elements may nest
 * @returns `undefined` when they are not JSON or nest too deep
 */
export function parseElements(text: string, room: number): unknown[] | undefined {
  const values = tryParse(`[${quoteLongIntegers(text)}]`);
  if (!values) return undefined;
  const records = values.value as unknown[];
  // As many openers as records and no list: nothing is nested, so only the records themselves need a look.
  if (room > 0 && !text.includes('[') && count(text, '{') === records.length) {
    for (const record of records) if (isContainer(record)) dropProto(record);
    return records;
  }
  return tame(records, room + 1) ? records : undefined;
}

/** Parses the text of one element; see {@link parseElements}. */
export function parseElement(text: string, room: number): { readonly value: unknown } | undefined {
  const parsed = tryParse(quoteLongIntegers(text));
  return parsed && (!isContainer(parsed.value) || tame(parsed.value, room)) ? parsed : undefined;
}

/** Whether a text is a JSON number, `true`, `false` or `null`. */
export function isScalar(text: string): boolean {
  return /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)$/.test(text);
}

function tryParse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Removes own keys `__proto__` and says whether the nesting is within `room`. */
function tame(value: object, room: number): boolean {
  if (room <= 0) return false;
  if (Array.isArray(value)) {
    for (const child of value) if (isContainer(child) && !tame(child, room - 1)) return false;
    return true;
  }
  dropProto(value);
  for (const key in value) {
    const child = (value as Record<string, unknown>)[key];
    if (isContainer(child) && !tame(child, room - 1)) return false;
  }
  return true;
}

// `JSON.parse` makes it a harmless own key, but `Object.assign` and hand-written merges would set a prototype with it.
function dropProto(value: object): void {
  if (Object.hasOwn(value, '__proto__')) Reflect.deleteProperty(value, '__proto__');
}

function count(text: string, char: string): number {
  let found = 0;
  for (let at = text.indexOf(char); at !== -1; at = text.indexOf(char, at + 1)) found += 1;
  return found;
}

/**
 * Puts quotes around integers of 16 or more digits outside strings, so that every digit survives.
 *
 * @param text - must begin outside a string
 */
export function quoteLongIntegers(text: string): string {
  if (!LONG_RUN.test(text)) return text;
  let run = nextLongRun(text, 0);
  let out = '';
  let copied = 0;
  let quote = text.indexOf('"');
  let inString = false;
  for (; run; run = nextLongRun(text, run.end)) {
    const start = text.charCodeAt(run.start - 1) === MINUS ? run.start - 1 : run.start;
    // Fractions, exponents and leading zeros stay what they are: numbers, or errors for `JSON.parse`.
    if (text.charCodeAt(run.start) === ZERO || !opensValue(text, start) || !closesValue(text, run.end)) continue;
    for (; quote !== -1 && quote < start; quote = text.indexOf('"', quote + 1)) {
      if (!inString || !isEscaped(text, quote)) inString = !inString;
    }
    if (inString) continue;
    out += `${text.slice(copied, start)}"${text.slice(start, run.end)}"`;
    copied = run.end;
  }
  return copied === 0 ? text : out + text.slice(copied);
}

/** The next run of 16 or more digits. Looks at every eighth character only: such a run covers two of them. */
function nextLongRun(text: string, from: number): { readonly start: number; readonly end: number } | undefined {
  const stride = LONG_DIGITS / 2;
  let before = false;
  for (let at = from + stride - 1; at < text.length; at += stride) {
    const digit = isDigit(text.charCodeAt(at));
    if (digit && before) {
      let start = at;
      let end = at + 1;
      while (start > from && isDigit(text.charCodeAt(start - 1))) start -= 1;
      while (end < text.length && isDigit(text.charCodeAt(end))) end += 1;
      if (end - start >= LONG_DIGITS) return { start, end };
    }
    before = digit;
  }
  return undefined;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= 57;
}

function opensValue(text: string, start: number): boolean {
  return start === 0 || ' \t\n\r:,['.includes(text.charAt(start - 1));
}

function closesValue(text: string, end: number): boolean {
  return end === text.length || ' \t\n\r,]}'.includes(text.charAt(end));
}

function isEscaped(text: string, quote: number): boolean {
  let at = quote;
  while (text.charCodeAt(at - 1) === BACKSLASH) at -= 1;
  return (quote - at) % 2 === 1;
}
