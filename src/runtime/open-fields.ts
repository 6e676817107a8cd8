import type { AuthStrategy } from '../contracts/auth.ts';

/** What of the filled-in fields is no secret. */
export function openFieldsOf(
  strategies: readonly AuthStrategy[],
  fields: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const open = strategies
    .flatMap((strategy) => ('fields' in strategy ? strategy.fields : []))
    .filter(({ secret }) => !secret);
  return Object.fromEntries(open.flatMap(({ name }) => (fields[name] === undefined ? [] : [[name, fields[name]]])));
}
