import { expect, test } from 'vitest';
import { recordFigure } from '../../../test/support/reliability.ts';
import { McaError } from '../../contracts/errors.ts';
import { seededRandom } from '../../testing/kill-loop.ts';
import { readJson } from './read-json.ts';

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

test('reads values, and tells apart what is empty and what is no JSON', () => {
  expect(readJson('{"a":[1,"x",null]}')).toEqual({ kind: 'json', value: { a: [1, 'x', null] } });
  for (const text of ['', ' \n\t']) expect(readJson(text)).toEqual({ kind: 'empty' });
  for (const text of ['<html>', '{"a":', 'undefined', "{'a':1}"]) expect(readJson(text)).toEqual({ kind: 'not_json' });
});

test('nesting of 64 is read, of 65 refused; brackets in strings do not count', () => {
  expect(readJson(nested(64)).kind).toBe('json');
  expect(() => readJson(nested(65))).toThrow(expect.objectContaining({ reason: 'json_too_deep' }));
  const quoted = JSON.stringify({ 'a"[\\': `${'['.repeat(500)}\\"${'{'.repeat(500)}` });
  expect(readJson(quoted)).toEqual({ kind: 'json', value: JSON.parse(quoted) });
});

test('keys that reach into prototypes are dropped at every depth, however they are spelled', () => {
  const text =
    '{"a":{"__proto__":{"isAdmin":true},"b":1},"constructor":{"prototype":{"x":1}},"l":[{"\\u005f_proto__":1,"c":2}],"prototype":3}';
  const body = readJson(text);
  expect(JSON.stringify(body)).toBe('{"kind":"json","value":{"a":{"b":1},"l":[{"c":2}]}}');
  const escaped = readJson('{"\\u005f\\u005fproto\\u005f\\u005f":{"x":1},"c":2}');
  expect(JSON.stringify(escaped)).toBe('{"kind":"json","value":{"c":2}}');
});

test('R-041 1,000 hostile bodies crash nothing and leave prototypes alone', () => {
  const random = seededRandom(41);
  const pick = <Item>(items: readonly [Item, ...Item[]]): Item =>
    items[Math.floor(random() * items.length)] ?? items[0];
  const before = [Object.prototype, Array.prototype, Function.prototype].map((each) => Reflect.ownKeys(each).length);
  const kinds: Record<string, number> = {};
  for (let index = 0; index < 1_000; index += 1) {
    const key = pick(['__proto__', 'constructor', 'prototype', '\\u005f\\u005fproto__', 'a', '']);
    const depth = pick([1, 63, 64, 65, 1_000, 200_000]);
    let text = pick([
      `{"${key}":{"polluted":true,"${key}":{"polluted":1}}}`,
      `{"a":[{"${key}":{"toString":1}}]}`,
      nested(depth),
      `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`,
      '['.repeat(depth),
      `"${'\\'.repeat(depth)}"`,
      '"'.repeat(depth),
      `[${'1,'.repeat(1_000)}1]`,
      '1e400',
      '\u0000',
      '\ufeff{}',
      '{"a":"\\ud800"}',
    ]);
    if (random() < 0.2) text = text.slice(0, Math.floor(random() * text.length));
    let kind: string;
    try {
      const body = readJson(text);
      kind = body.kind;
      if (body.kind === 'json') expect((body.value as { polluted?: unknown } | null)?.polluted).toBeUndefined();
    } catch (error) {
      expect(McaError.isInstance(error) && error.reason).toBe('json_too_deep');
      kind = 'too deep';
    }
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  const after = [Object.prototype, Array.prototype, Function.prototype].map((each) => Reflect.ownKeys(each).length);
  expect(after).toEqual(before);
  expect(Object.keys(kinds).sort()).toEqual(['empty', 'json', 'not_json', 'too deep']);
  recordFigure('R-041', `1,000 hostile bodies (${JSON.stringify(kinds)}): 0 crashes, prototypes unchanged`);
});
