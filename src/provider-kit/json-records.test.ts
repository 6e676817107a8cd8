import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { constantMemory } from '../../test/support/constant-memory.ts';
import { recordFigure } from '../../test/support/reliability.ts';
import { McaError } from '../contracts/errors.ts';
import { fileOf } from '../testing/import-files.ts';
import { type JsonRecordBatch, type JsonRecordOptions, readJsonRecords } from './json-records.ts';
import { createJsonSplitter } from './json-splitter.ts';

const isFull = process.env.MCA_TEST_FULL === '1';
const RUNS = isFull ? 60_000 : 3_000;

interface Outcome {
  readonly batches: JsonRecordBatch[];
  readonly error?: unknown;
}

/** Splits text at the given places; the chunks files come in are never that small. */
function split(text: string, cuts: readonly number[], options: JsonRecordOptions = {}): Outcome {
  const splitter = createJsonSplitter('file', options);
  const borders = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
  const batches: JsonRecordBatch[] = [];
  let start = 0;
  try {
    for (const border of [...borders, text.length]) {
      if (border > start) splitter.push(text.slice(start, border));
      start = border;
      batches.push(...splitter.take());
    }
    splitter.end();
    return { batches };
  } catch (error) {
    batches.push(...splitter.take());
    return { batches, error };
  }
}

async function collect(text: string, options: JsonRecordOptions = {}): Promise<JsonRecordBatch[]> {
  const batches: JsonRecordBatch[] = [];
  for await (const batch of readJsonRecords(fileOf('file', text), options)) batches.push(batch);
  return batches;
}

async function failure(text: string, options: JsonRecordOptions = {}): Promise<McaError> {
  return collect(text, options).then(
    () => expect.fail('nothing was thrown'),
    (error: McaError) => error,
  );
}

const records = (batches: readonly JsonRecordBatch[]): unknown[] => batches.flatMap((batch) => [...batch.records]);

/** What the reader should make of a text that is valid JSON: long integers as strings, no `__proto__`. */
function reference(text: string): unknown {
  return withoutProto(JSON.parse(quoteLong(text)));
}

function quoteLong(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    /^-?\d{16,}$/.test(token) ? `"${token}"` : token,
  );
}

function withoutProto(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutProto);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => key !== '__proto__');
  return Object.fromEntries(entries.map(([key, child]) => [key, withoutProto(child)]));
}

/** Numbers, order and path of batches must agree with the list they come from. */
function checkNumbers(batches: readonly JsonRecordBatch[]): void {
  const next = new Map<string, number>();
  for (const { path, first, records, malformed } of batches) {
    const key = JSON.stringify(path);
    expect(first).toBe(next.get(key) ?? 1);
    for (const [index, bad] of malformed.entries()) expect(bad.record).toBe(first + records.length + index);
    next.set(key, first + records.length + malformed.length);
  }
}

const string = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.constantFrom('}', '},{"', '\\"', '[', '\n', '__proto__', '"}]'),
);

/**
 * Keys without a backslash. V8 13.6 takes one key for another: once `{"\\":1}` was parsed, `JSON.parse('{"\\n":1}')` answers
 * `{"\\":1}`, because it compares what it expects with what stands there, before it is unescaped.
 */
function plainKeys(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(plainKeys);
  if (typeof given !== 'object' || given === null) return given;
  return Object.fromEntries(Object.entries(given).map(([key, each]) => [key.replaceAll('\\', '/'), plainKeys(each)]));
}

const value: fc.Arbitrary<unknown> = fc
  .oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.dictionary(
      string,
      fc.oneof(string, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(null)),
      { maxKeys: 5 },
    ),
    fc.record({
      ts: string,
      list: fc.array(fc.record({ name: string, url: string }), { maxLength: 3 }),
      x: fc.maxSafeInteger(),
    }),
  )
  .map(plainKeys);
const indent = fc.constantFrom(undefined, 1, '\t', '\r\n ');
const cuts = fc.array(fc.nat(), { maxLength: 12 });

describe('properties', () => {
  test(`any array split anywhere gives what JSON.parse gives (${RUNS} documents)`, () => {
    const property = fc.property(fc.array(value, { maxLength: 12 }), indent, cuts, (list, space, borders) => {
      const text = JSON.stringify(list, undefined, space);
      const { batches, error } = split(text, borders);
      expect(error).toBeUndefined();
      expect(records(batches)).toEqual(reference(text));
      checkNumbers(batches);
    });
    fc.assert(property, { numRuns: RUNS });
  });

  test('damaged text never passes for whole and never throws anything untyped', () => {
    let valid = 0;
    const edit = fc.tuple(
      fc.nat(),
      fc.nat(3),
      fc.constantFrom('', ',', '}', '{', ']', '[', '"', '\\', ' ', 'x', '1', ':', '}\n'),
    );
    const property = fc.property(
      fc.array(value, { maxLength: 5 }),
      fc.array(edit, { maxLength: 3 }),
      cuts,
      (list, edits, borders) => {
        let text = JSON.stringify(list);
        for (const [at, remove, insert] of edits) {
          const place = at % (text.length + 1);
          text = text.slice(0, place) + insert + text.slice(place + remove);
        }
        let whole: unknown;
        try {
          if (JSON.parse(text)) whole = reference(text);
        } catch {}
        const { batches, error } = split(text, borders, { root: 'array' });
        checkNumbers(batches);
        if (Array.isArray(whole)) {
          valid += 1;
          expect(error).toBeUndefined();
          expect(records(batches)).toEqual(whole);
        } else {
          expect(McaError.isInstance(error) || batches.some((batch) => batch.malformed.length > 0)).toBe(true);
        }
      },
    );
    fc.assert(property, { numRuns: RUNS });
    expect(valid).toBeGreaterThan(RUNS / 10);
  });

  test('the same batches of lists and maps come out of objects wherever they are split', () => {
    const lists = (path: readonly string[]): boolean => path.length === 2 && path[1] !== 'walked';
    const inner = fc.dictionary(
      fc.constantFrom('a', 'b', 'walked', 'é"'),
      fc.oneof(value, fc.array(value, { maxLength: 4 })),
    );
    const property = fc.property(
      fc.dictionary(string, fc.oneof(inner, value)).map(plainKeys),
      indent,
      cuts,
      (root, space, borders) => {
        const text = JSON.stringify(root, undefined, space);
        const wanted = Object.entries(JSON.parse(quoteLong(text)) as object).flatMap(([outerKey, outer]) =>
          typeof outer !== 'object' || outer === null || Array.isArray(outer)
            ? []
            : Object.entries(outer as object)
                .filter(([key, list]) => lists([outerKey, key]) && typeof list === 'object' && list !== null)
                .flatMap(([key, list]) =>
                  Object.entries(list as object).map(([k, v]) => [
                    [outerKey, key],
                    Array.isArray(list) ? undefined : k,
                    withoutProto(v),
                  ]),
                ),
        );
        const { batches, error } = split(text, borders, { lists });
        expect(error).toBeUndefined();
        expect(batches.flatMap((b) => b.records.map((record, i) => [b.path, b.keys?.[i], record]))).toEqual(wanted);
      },
    );
    fc.assert(property, { numRuns: RUNS / 3 });
  });
});

test('no place to split is special', () => {
  const list = [{ 'k\\"': 'a\\"},{"k', n: [{ x: '\\' }, '\\\\"'], id: 1 }, 'é"\\', -1.5e-7, [[], {}], true, null, '😀'];
  const text = JSON.stringify(list, undefined, ' ').replace('"id": 1', '"id": 12345678901234567890');
  const nested = `{ "walked": ${text}, "a\\"b" : {"c":${text}}}`;
  const lists = (path: readonly string[]): boolean => path.length === 2;
  const each = Array.from({ length: nested.length }, (_, at) => [at]);
  for (const cuts of [...each, each.flat()]) {
    expect(records(split(text, cuts).batches)).toEqual(reference(text));
    const found = split(nested, cuts, { lists });
    expect(found.error).toBeUndefined();
    expect(found.batches.every(({ path }) => path.join() === 'a"b,c')).toBe(true);
    expect(records(found.batches)).toEqual(reference(text));
  }
});

describe('lists', () => {
  const text = JSON.stringify({
    Profile: { Name: 'x', Deep: [{ List: [{ n: 0 }] }] },
    Activity: {
      'Watch History': { VideoList: [{ n: 1 }, { n: 2 }] },
      Likes: { VideoList: null },
      Empty: { VideoList: [] },
    },
    Map: { 'a"b': { n: 3 }, c: 4 },
  });

  test('are asked for by their key path, everything else is walked', async () => {
    const asked: string[] = [];
    const lists = (path: readonly string[]): boolean => {
      asked.push(path.join('/'));
      return path.at(-1) === 'VideoList' || path[0] === 'Map';
    };
    const batches = await collect(text, { lists });
    expect(batches).toEqual([
      { path: ['Activity', 'Watch History', 'VideoList'], first: 1, records: [{ n: 1 }, { n: 2 }], malformed: [] },
      { path: ['Map'], first: 1, records: [{ n: 3 }, 4], keys: ['a"b', 'c'], malformed: [] },
    ]);
    expect(asked).toEqual([
      '',
      'Profile',
      'Profile/Deep',
      'Activity',
      'Activity/Watch History',
      'Activity/Watch History/VideoList',
      'Activity/Likes',
      'Activity/Empty',
      'Activity/Empty/VideoList',
      'Map',
    ]);
  });

  test('the root may be a map, and has to be what was asked for', async () => {
    const [batch] = await collect('{"a":1,"b":{"c":2}}', { lists: (path) => path.length === 0 });
    expect(batch).toMatchObject({ path: [], keys: ['a', 'b'], records: [1, { c: 2 }] });
    expect(await collect('[]', { root: 'array' })).toEqual([]);
    expect(await failure(' []', { root: 'object' })).toMatchObject({
      reason: 'json_root',
      position: { line: 1, column: 2 },
    });
    expect(await failure('{}', { root: 'array' })).toMatchObject({ reason: 'json_root' });
    expect(await failure('\n null')).toMatchObject({ reason: 'json_root', position: { line: 2, column: 2 } });
  });
});

describe('damage', () => {
  test('a malformed record is reported with its place and the others survive', async () => {
    const rows = Array.from({ length: 5_000 }, (_, n) => `{"n":${n},"s":"a }, {b","l":[{"x":"\\""}]}`);
    rows[3_000] = '{"n":oops}';
    rows[3_001] = '{"n":[1,2}';
    rows[4_999] = '"\\q"';
    for (const separator of [',\n', ', ']) {
      const batches = await collect(`[\n ${rows.join(separator)}]`);
      checkNumbers(batches);
      const bad = batches.flatMap((batch) => [...batch.malformed]);
      const isLined = separator === ',\n';
      const column = (n: number): number => 2 + rows.slice(0, n).join(separator).length + separator.length;
      expect(bad.map(({ record, line, column }) => [record, line, column])).toEqual(
        [3_000, 3_001, 4_999].map((n) => [n + 1, isLined ? n + 2 : 2, isLined ? 1 : column(n)]),
      );
      expect(bad[0]).toMatchObject({ reason: 'invalid_json', message: 'Record 3001 is not valid JSON.' });
      expect(records(batches)).toHaveLength(4_997);
    }
    const inMap = await collect('{"a":{"b":1},\n"c":{,},"d":2}', { lists: (path) => path.length === 0 });
    expect(inMap.flatMap((batch) => [...batch.malformed])).toMatchObject([{ record: 2, line: 2, column: 5 }]);
    expect(inMap.flatMap((batch) => batch.keys)).toEqual(['a', 'd']);
  });

  test.each([
    ['[{"a":1},\n{"a":', 'json_truncated', { record: 2, line: 2, column: 6 }],
    ['[{"a":1},\n{"a":"x', 'json_truncated', { record: 2, line: 2, column: 8 }],
    ['[{"a":1}', 'json_truncated', { record: 2, line: 1, column: 9 }],
    ['{"a":{"b":[', 'json_truncated', { line: 1, column: 12 }],
    ['', 'json_truncated', {}],
    ['[{"a":1},,{"a":2}]', 'json_syntax', { record: 2, line: 1, column: 10 }],
    ['[{"a":1},\n]', 'json_syntax', { record: 2, line: 2, column: 1 }],
    ['[,{"a":1}]', 'json_syntax', { record: 1, line: 1, column: 2 }],
    ['[{"a":1}\n x,{"a":2}]', 'json_syntax', { record: 2, line: 2, column: 2 }],
    ['[{"a":1} {"a":2}]', 'json_syntax', { record: 2, line: 1, column: 10 }],
    ['[{"a":1},\n oops,{"a":2}]', 'json_syntax', { record: 2, line: 2, column: 2 }],
    ['[{"a":1}]\n[]', 'json_syntax', { line: 2, column: 1 }],
    ['[{"a":1}]]', 'json_syntax', { line: 1, column: 10 }],
    ['[{"a":1]', 'json_syntax', { record: 1, line: 1, column: 8 }],
    ['{"a" 1}', 'json_syntax', { line: 1, column: 6 }],
    ['{"a":}', 'json_syntax', { line: 1, column: 6 }],
    ['{"a":1,}', 'json_syntax', { line: 1, column: 8 }],
    ['{a:1}', 'json_syntax', { line: 1, column: 2 }],
    ['<html>', 'json_syntax', { line: 1, column: 1 }],
  ])('%j is %s at %j', async (text, reason, place) => {
    const error = await failure(text);
    expect(error).toMatchObject({ code: 'file_parse_error', reason, position: { file: 'file', ...place } });
    expect(error.position?.record).toBe((place as { record?: number }).record);
    expect(error.hint).toBeTruthy();
  });

  test('what came before the damage is handed out first', async () => {
    const seen: unknown[] = [];
    const reading = async (): Promise<void> => {
      for await (const batch of readJsonRecords(fileOf('file', '[{"a":1},{"a":2},'))) seen.push(...batch.records);
    };
    await expect(reading()).rejects.toMatchObject({ reason: 'json_truncated' });
    expect(seen).toEqual([{ a: 1 }, { a: 2 }]);
  });

  test('messages hold nothing of the content', async () => {
    for (const text of [
      '[{"t":"My Secret Show" oops',
      '[{"t":"My Secret Show"} Secret',
      '[{"Secret":[1,2}, {"Secret": Secret}]',
    ]) {
      const all = await collect(text).then(
        (batches) => batches.flatMap((batch) => [...batch.malformed]),
        (error: McaError) => error,
      );
      expect(JSON.stringify(all)).not.toContain('Secret');
    }
  });

  test('a record of more than 16 Mi characters is too large', async () => {
    const long = 'x'.repeat(16 * 1024 * 1024);
    for (const text of [`[1,\n"${long}"]`, `[1,\n{"a":"${long}`, `[1,\n"${long}`]) {
      expect(await failure(text)).toMatchObject({
        reason: 'record_too_large',
        position: { record: 2, line: 2, column: 1 },
      });
    }
    expect(records(await collect(`["${long.slice(2)}"]`))).toHaveLength(1);
  });

  // A reader that went over the same text again and again would take minutes, and parse far more than there is.
  test.each([
    ['300,000 small lists', `{"a":{${Array.from({ length: 300_000 }, (_, n) => `"${n}":[{"x":1}]`).join()}}}`],
    ['a bad record in three', `[${'{"a":1},{"a":x},{"a":{"b":2}},'.repeat(50_000)}1]`],
    ['braces in strings', `[${'{"a":"},{"},'.repeat(500_000)}1]`],
    ['other keys each time', `[${Array.from({ length: 300_000 }, (_, n) => `{"k${n}":{"x":[{}]}}`).join()}]`],
    ['one long string of quotes', `["${'\\"'.repeat(4_000_000)}"]`],
    ['one long record of numbers', `[[${'1234567890123456,'.repeat(500_000)}1]]`],
    ['line feeds', `[${'\n'.repeat(8_000_000)}]`],
    ['keys without end', `{"${'k'.repeat(8_000_000)}":1}`],
  ])('work stays linear: %s', { timeout: 20_000 }, async (_, text) => {
    const parse = vi.spyOn(JSON, 'parse');
    try {
      const lists = (path: readonly string[]): boolean => path.length === 2;
      for await (const batch of readJsonRecords(fileOf('file', text), { lists })) expect(batch.path).toBeDefined();
      const parsed = parse.mock.calls.reduce((sum, [argument]) => sum + argument.length, 0);
      expect(parsed).toBeLessThanOrEqual(2.5 * text.length + 1024 * 1024);
    } finally {
      parse.mockRestore();
    }
  });

  test('an aborted signal ends it before the next batch', async () => {
    const controller = new AbortController();
    const file = fileOf('file', `[${'{"a":1},'.repeat(100_000)}1]`);
    const reading = async (): Promise<void> => {
      for await (const _ of readJsonRecords(file, { signal: controller.signal })) controller.abort();
    };
    await expect(reading()).rejects.toMatchObject({ code: 'cancelled' });
  });
});

test(`R-053 constant memory: a JSON array of ${isFull ? '1 GiB' : '64 MiB'}`, { timeout: 300_000 }, async () => {
  const growth = await constantMemory('json', isFull ? 1024 : 64);
  expect(growth).toBeLessThanOrEqual(64);
  recordFigure('R-053', `JSON array of ${isFull ? '1 GiB' : '64 MiB'}: RSS grew by ${growth} MiB`);
});
