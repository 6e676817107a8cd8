import type { FormField } from '../contracts/auth.ts';
import { McaError } from '../contracts/errors.ts';

const LONGEST_FIELD = 4_096;
const LONGEST_URL = 2_048;

/**
 * What was filled in, of the fields that were asked for. Values are never named in errors.
 *
 * @throws McaError `invalid_data` `invalid_field`, naming the field
 */
export function checkFields(
  provider: string,
  asked: readonly FormField[],
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const field of asked) {
    const value = Object.hasOwn(given, field.name) ? given[field.name] : undefined;
    if (value === undefined || value === '') {
      if (field.optional) continue;
      throw invalid(provider, field, 'is missing');
    }
    if (typeof value !== 'string' || value.length > LONGEST_FIELD) throw invalid(provider, field, 'is too long');
    fields[field.name] = field.kind === 'url' ? checkBaseUrl(provider, field, value.trim()) : value;
  }
  const unknown = Object.keys(given).find((name) => !asked.some((field) => field.name === name));
  if (unknown === undefined) return fields;
  throw new McaError({
    code: 'invalid_data',
    reason: 'invalid_field',
    provider,
    message: 'A field was filled in that was not asked for.',
    hint: `Asked for are: ${asked.map(({ name }) => name).join(', ')}.`,
  });
}

/** Where it may lead is for the guarded network to say; here only what no server's address looks like is refused. */
function checkBaseUrl(provider: string, field: FormField, value: string): string {
  if (value.length > LONGEST_URL || !URL.canParse(value)) throw invalid(provider, field, 'is no address');
  const { protocol, username, password, hash, search } = new URL(value);
  if (protocol !== 'https:' && protocol !== 'http:') throw invalid(provider, field, 'must begin with https://');
  if (username !== '' || password !== '') throw invalid(provider, field, 'must not hold a user name or password');
  if (hash !== '' || search !== '') throw invalid(provider, field, 'must end before "?" and "#"');
  return value;
}

function invalid(provider: string, { name, label, help }: FormField, fault: string): McaError {
  return new McaError({
    code: 'invalid_data',
    reason: 'invalid_field',
    provider,
    message: label === name ? `"${name}" ${fault}.` : `"${name}" (${label}) ${fault}.`,
    hint: help ?? `Fill in the field "${name}".`,
  });
}
