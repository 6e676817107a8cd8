import { McaError } from '@mca/core/provider-kit';

/** Netflix allows far fewer characters; more would make ids too long. */
export const PROFILE_LENGTH_MAX = 200;
const NAMES_SHOWN = 20;

/**
 * Refuses an import that asks for a profile the file does not have, before anything of it is stored.
 *
 * @throws McaError `not_found`, reason `unknown_profile`, with the profiles there are in its hint
 */
export function checkProfiles(file: string, wanted: readonly string[], found: ReadonlySet<string>): void {
  const missing = wanted.filter((name) => !found.has(name));
  if (missing.length === 0) return;
  throw new McaError({
    code: 'not_found',
    reason: 'unknown_profile',
    provider: 'netflix',
    message: `${file} has no profile ${listed(missing)}.`,
    hint: `Profiles in the file: ${listed([...found].filter((name) => name !== ''))}.`,
    position: { file, field: 'Profile Name' },
  });
}

/** Names for people to read. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).map((name) => name.slice(0, PROFILE_LENGTH_MAX));
  return shown.length === 0 ? 'none' : shown.join(', ') + (names.length > NAMES_SHOWN ? ', …' : '');
}
