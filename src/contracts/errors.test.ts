import { inspect } from 'node:util';
import { ERROR_CODES, McaError } from '@mca/core';
import { expect, test } from 'vitest';

const secret = 'canary-token-7f3a';
const error = new McaError({
  code: 'upstream',
  reason: 'bad_gateway',
  message: 'The service failed.',
  hint: 'Try again.',
  provider: 'spotify',
  retryAfterMs: 1000,
  position: { file: 'x.csv', line: 3 },
  cause: new Error(`Authorization: Bearer ${secret}`),
});

test('no way of printing an error shows its cause', () => {
  const seen = [
    String(error),
    JSON.stringify(error),
    inspect(error, { depth: 10, showHidden: true }),
    inspect({ nested: [error] }, { depth: 10 }),
    error.stack,
    Object.entries(error).join(),
    JSON.stringify(structuredClone(error.toJSON())),
  ];
  for (const text of seen) expect(text).not.toContain(secret);
  expect((error.cause as Error).message).toContain(secret);
});

test('its public face is data', () => {
  expect(error.toJSON()).toEqual({
    name: 'McaError',
    code: 'upstream',
    message: 'The service failed.',
    reason: 'bad_gateway',
    hint: 'Try again.',
    provider: 'spotify',
    retryable: true,
    retryAfterMs: 1000,
    position: { file: 'x.csv', line: 3 },
  });
  expect(inspect(error)).toMatch(/McaError: The service failed\.[\s\S]*code: upstream[\s\S]*hint: Try again\./);
});

test('errors of another copy of the package are recognised, look-alikes are not', () => {
  const foreign = Object.defineProperty(new Error('x'), Symbol.for('@mca/core/McaError'), { value: true });
  expect(McaError.isInstance(error)).toBe(true);
  expect(McaError.isInstance(foreign)).toBe(true);
  for (const other of [new Error('x'), { code: 'upstream' }, null, undefined, 'upstream'])
    expect(McaError.isInstance(other)).toBe(false);
});

test('only rate limits and upstream failures are retryable by themselves', () => {
  const retryable = ERROR_CODES.filter((code) => new McaError({ code, message: '' }).retryable);
  expect(retryable).toEqual(['rate_limit', 'upstream']);
  expect(new McaError({ code: 'storage', message: '', retryable: true }).retryable).toBe(true);
});
