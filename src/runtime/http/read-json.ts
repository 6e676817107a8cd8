import { McaError } from '../../contracts/errors.ts';

const DEEPEST = 64;
const DANGEROUS_KEYS = ['__proto__', 'constructor', 'prototype'] as const;

/** What a body holds. `text` is there for error tables. */
export type JsonBody =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'empty' }
  | { readonly kind: 'not_json' };

/**
 * Reads JSON that a stranger sent: nested at most 64 deep, without the keys that reach into prototypes.
 *
 * @throws McaError `invalid_data` `json_too_deep`
 */
export function readJson(text: string): JsonBody {
  if (!/\S/.test(text)) return { kind: 'empty' };
  if (isTooDeep(text)) {
    throw new McaError({
      code: 'invalid_data',
      reason: 'json_too_deep',
      message: `The answer is nested more than ${DEEPEST} levels deep.`,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'not_json' };
  }
  // Nearly no answer has them: most are spared the walk. Keys may also be spelled with escapes.
  if (text.includes('\\u') || DANGEROUS_KEYS.some((key) => text.includes(key))) dropDangerousKeys(value);
  return { kind: 'json', value };
}

/** Counts brackets outside of strings, before any parser meets them. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (isInString) {
      // Whatever is escaped, it neither ends the string nor begins an escape.
      if (char === 0x5c) at += 1;
      else if (char === 0x22) isInString = false;
    } else if (char === 0x22) {
      isInString = true;
    } else if (char === 0x5b || char === 0x7b) {
      depth += 1;
      if (depth > DEEPEST) return true;
    } else if (char === 0x5d || char === 0x7d) {
      depth -= 1;
    }
  }
  return false;
}

/** Recursion is safe here: the depth is known to be small. */
function dropDangerousKeys(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const key of DANGEROUS_KEYS) if (Object.hasOwn(value, key)) Reflect.deleteProperty(value, key);
  for (const each of Object.values(value)) dropDangerousKeys(each);
}
