import { McaError } from '../contracts/errors.ts';
import type { UpdatePolicy } from '../contracts/storage/index.ts';
import type { FirstSync } from './first-sync.ts';

export const UPDATE_POLICIES: readonly UpdatePolicy[] = ['keep', 'longest', 'replace'];
export const FIRST_SYNCS: readonly FirstSync[] = ['everything', 'new'];

/** For hosts without a compiler. @throws McaError `invalid_data` naming what is allowed. */
export function checkOneOf(value: string, allowed: readonly string[], name: string): void {
  if (allowed.includes(value)) return;
  throw new McaError({
    code: 'invalid_data',
    reason: 'unknown_value',
    message: `"${name}" cannot be "${String(value)}".`,
    hint: `It is one of ${allowed.join(', ')}.`,
  });
}
