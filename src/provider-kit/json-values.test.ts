import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recordFigure } from '../../test/support/reliability.ts';
import type { McaError } from '../contracts/errors.ts';
import { fileOf } from '../testing/import-files.ts';
import { type JsonRecordBatch, type JsonRecordOptions, readJsonRecords } from './json-records.ts';

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

describe('values', () => {
  test('R-058 no payload changes a prototype, spread or assigned', async () => {
    const prototypes = [Object.prototype, Array.prototype, String.prototype, Function.prototype];
    const state = (): unknown[] =>
      prototypes.flatMap((prototype) =>
        Reflect.ownKeys(prototype).flatMap((key) => [
          key,
          ...Object.values(Object.getOwnPropertyDescriptor(prototype, key) ?? {}),
        ]),
      );
    const before = state();
    const names = ['__proto__', '\\u005f_proto__', 'constructor', 'prototype'];
    const property = fc.asyncProperty(
      fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      async (keys, isFlat) => {
        const payload = keys.reduceRight(
          (inner, key) => `{"${key}":${inner},"n":[${isFlat ? '' : inner}]}`,
          '{"polluted":true}',
        );
        const text = isFlat ? `[{"${keys[0]}":1,"a":2},{"${keys[0]}":null}]` : `[${payload},{"a":1}]`;
        const found = records(await collect(text)) as object[];
        for (const record of found) {
          expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
          expect(JSON.stringify(record)).not.toContain('__proto__');
          for (const copy of [{ ...record }, Object.assign({}, record), structuredClone(record)]) {
            expect((copy as { polluted?: unknown }).polluted).toBeUndefined();
            expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
          }
        }
        expect(found).toHaveLength(2);
      },
    );
    await fc.assert(property, { numRuns: 1_000 });
    expect(state().every((part, index) => Object.is(part, before[index]))).toBe(true);
    expect(state()).toHaveLength(before.length);
    const [map] = await collect('{"__proto__":{"x":1}}', { lists: (path) => path.length === 0 });
    expect(map).toMatchObject({ keys: ['__proto__'], records: [{ x: 1 }] });
    recordFigure('R-058', '1,000 payloads, 0 changes');
  });

  test('R-059 64 levels are read; 65, 10,000 and 200,000 are a typed error', async () => {
    const nest = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    const objects = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    const flat = '{"a":1},'.repeat(2_000);
    expect(await collect(nest(64))).toHaveLength(1);
    expect(records(await collect(`[${flat}${objects(63)}]`))).toHaveLength(2_001);
    expect(await collect(objects(64), { lists: () => false })).toHaveLength(0);
    for (const depth of [65, 10_000, 200_000]) {
      const hostile = [
        nest(depth),
        `[${flat}${objects(depth - 1)},${flat}1]`,
        objects(depth),
        `{"a":${nest(depth - 1)}}`,
        `[${'[{"a":'.repeat(depth)}`,
      ];
      for (const text of hostile) {
        for (const lists of [() => true, () => false, (path: readonly string[]) => path.length === 1]) {
          const error = await failure(text, { lists });
          expect(error).toMatchObject({ code: 'file_parse_error', reason: 'json_too_deep', position: { line: 1 } });
        }
      }
    }
    expect((await failure(`[1,${nest(64)}]`)).position).toEqual({ file: 'file', record: 2, line: 1, column: 4 + 63 });
    recordFigure('R-059', 'depths 65, 10,000 and 200,000: typed error, 0 RangeError');
  });

  test('R-060 integers of 16 and more digits keep every digit', async () => {
    const ids = ['7012345678901234567', '-9007199254740993', '1234567890123456', '99999999999999999999999999'];
    const rows = Array.from({ length: 4_000 }, (_, n) => {
      const id = `70123456789${String(n).padStart(8, '0')}`;
      return `{"id":${id},"text":"id: ${id}, \\" [${id}]","url":"/video/${id}/","n":${n},"ids":[ ${id} ,-${id}]}`;
    });
    const list = records(await collect(`[${rows.join()}]`)) as { id: string; text: string; n: number; ids: string[] }[];
    const exact = list.filter(({ id, text, n, ids }) => {
      const digits = `70123456789${String(n).padStart(8, '0')}`;
      return id === digits && text === `id: ${digits}, " [${digits}]` && ids[0] === digits && ids[1] === `-${digits}`;
    });
    expect(exact).toHaveLength(4_000);
    expect(records(await collect(`[${ids.join(',')}]`))).toEqual(ids);
    expect(records(await collect(`{"a":${ids[0]}}`, { lists: () => true }))).toEqual([ids[0]]);
    const numbers =
      '[123456789012345,0.1234567890123456789,1.5e3,1234567890123456.5,12345678901234567e2,1e0000000000000000002]';
    expect(records(await collect(numbers))).toEqual(JSON.parse(numbers));
    expect((await collect('[[00001234567890123456]]'))[0]?.malformed).toHaveLength(1);
    recordFigure('R-060', '4,000 records with 16,000 long ids, 100 % exact');
  });
});
