import type { SqlValue } from './driver.ts';
import { escapeText } from './safe-text.ts';

/** A piece of SQL with its parameters, which get their numbers when the whole statement is known. */
export interface Sql {
  /** One more than there are values. */
  readonly texts: readonly string[];
  readonly values: readonly Bound[];
}

/** A parameter with its type: told to the server, so that no driver has to guess. */
export interface Bound {
  readonly value: SqlValue;
  readonly type: string;
}

/** SQL from a template, whose holes are other SQL and parameters. */
export function sql(texts: TemplateStringsArray, ...holes: readonly (Sql | Bound)[]): Sql {
  const all: string[] = [texts[0] ?? ''];
  const values: Bound[] = [];
  for (const [index, hole] of holes.entries()) {
    const rest = texts[index + 1] ?? '';
    if ('type' in hole) {
      values.push(hole);
      all.push(rest);
      continue;
    }
    const [first = '', ...others] = hole.texts;
    all[all.length - 1] += first;
    all.push(...others);
    values.push(...hole.values);
    all[all.length - 1] += rest;
  }
  return { texts: all, values };
}

/** Text of ours that is SQL as it stands. */
export function raw(text: string): Sql {
  return { texts: [text], values: [] };
}

/** Pieces with something between them. */
export function join(pieces: readonly Sql[], between: string): Sql {
  const texts = [''];
  const values: Bound[] = [];
  for (const [index, piece] of pieces.entries()) {
    const [first = '', ...others] = piece.texts;
    texts[texts.length - 1] += index === 0 ? first : between + first;
    texts.push(...others);
    values.push(...piece.values);
  }
  return { texts, values };
}

/** What a driver takes: the statement with numbered parameters, and their values. */
export function render({ texts, values }: Sql): { readonly text: string; readonly values: SqlValue[] } {
  let text = texts[0] ?? '';
  for (const [index, { type }] of values.entries()) text += `$${index + 1}::${type}${texts[index + 1] ?? ''}`;
  return { text, values: values.map(({ value }) => (typeof value === 'string' ? escapeText(value) : value)) };
}

/** A text, or none. */
export function text(value: string | null | undefined): Bound {
  return { value: value ?? null, type: 'text' };
}

/** A number that may have a fraction. */
export function float(value: number | null | undefined): Bound {
  return { value: value ?? null, type: 'float8' };
}

/** A whole number; also an instant in epoch milliseconds. */
export function whole(value: number | null | undefined): Bound {
  return { value: value ?? null, type: 'bigint' };
}

/** Texts, as one parameter. */
export function texts(values: readonly (string | null)[]): Bound {
  return { value: `{${values.map(quoteElement).join(',')}}`, type: 'text[]' };
}

/** Numbers, as one parameter. */
export function numbers(values: readonly (number | null)[], type: 'float8' | 'bigint'): Bound {
  return { value: `{${values.map((value) => value ?? 'NULL').join(',')}}`, type: `${type}[]` };
}

function quoteElement(value: string | null): string {
  if (value === null) return 'NULL';
  return NEEDS_ESCAPE.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : `"${value}"`;
}

const NEEDS_ESCAPE = /["\\]/;
