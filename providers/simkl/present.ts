import type { PresentContent } from '@mca/core/provider-kit';
import { contentIdOf, DIGITS } from './normalise.ts';
import { type Kind, type ListedId, listedId } from './schemas.ts';

/**
 * What the user's lists still hold of one kind, from a whole list of it. `undefined` when there is none, or the id of an
 * entry cannot be read: whatever it is, it would pass for removed.
 */
export function presentOf(
  source: string,
  kind: Kind,
  entries: readonly unknown[] | undefined,
): PresentContent | undefined {
  const ids = entries?.map(idOf);
  if (!ids?.every((id) => id !== undefined)) return undefined;
  return { source, prefix: contentIdOf(kind, ''), contentIds: ids.map((id) => contentIdOf(kind, id)) };
}

function idOf(entry: unknown): string | undefined {
  const { show, movie, anime, ids }: ListedId = listedId.safeParse(entry).data ?? {};
  const { simkl = '' } = (show ?? movie ?? anime)?.ids ?? ids ?? {};
  return DIGITS.test(simkl) ? simkl : undefined;
}
