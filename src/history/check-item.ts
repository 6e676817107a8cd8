import type { SourceInfo } from '../contracts/capabilities/file-import.ts';
import type { MediaItem } from '../contracts/media-item.ts';

const MAX_EXTERNAL_ID = 512;
const LONE_SURROGATE = /\p{Cs}/u;
const MAX_METADATA = 16_384;
const TYPES: ReadonlySet<string> = new Set(['music', 'video', 'podcast', 'audiobook', 'article', 'book']);
const ACTIONS: ReadonlySet<string> = new Set(['consumed', 'liked', 'saved', 'rated']);
const PRECISIONS: ReadonlySet<string> = new Set(['second', 'minute', 'hour', 'day']);

/** Who gave an item, and what it may say of itself. */
export interface ItemOrigin {
  readonly provider: string;
  readonly sources: Readonly<Record<string, SourceInfo>>;
  /** Set by importers of back-ups, whose items belong to other platforms. */
  readonly anyPlatform?: true | undefined;
}

/**
 * What is wrong with an item a provider gave, if anything. By hand and not by schema: this runs for every item of a
 * history.
 */
export function faultOf(item: MediaItem, origin: ItemOrigin): string | undefined {
  if (!origin.anyPlatform) {
    if (item.platform !== origin.provider) return `platform "${item.platform}"`;
    if (origin.sources[item.source] === undefined) return `undeclared source "${item.source}"`;
  }
  const { externalId, title, consumedAt, timeSpentMs, durationMs, type, action, precision, rating, rawMetadata } = item;
  if (typeof externalId !== 'string' || externalId === '' || externalId.length > MAX_EXTERNAL_ID)
    return 'an externalId that is empty or too long';
  // Databases fold half characters into one sign: two ids would become one.
  if (LONE_SURROGATE.test(externalId)) return 'an externalId with half a character';
  if (typeof title !== 'string' || title === '') return 'no title';
  if (!(consumedAt instanceof Date) || Number.isNaN(consumedAt.getTime())) return 'no valid consumedAt';
  for (const amount of [timeSpentMs, durationMs]) {
    if (amount !== undefined && !(amount >= 0 && amount <= Number.MAX_SAFE_INTEGER))
      return 'an impossible amount of time';
  }
  if (!TYPES.has(type) || !ACTIONS.has(action) || !PRECISIONS.has(precision))
    return 'an unknown type, action or precision';
  if (rating !== undefined && !(rating >= 0 && rating <= 10)) return 'a rating outside 0 to 10';
  if (weightOf(rawMetadata) > MAX_METADATA) return 'rawMetadata over 16 KiB';
  return undefined;
}

/** Characters of the metadata: exact only where it matters, because most items have a handful of short words. */
function weightOf(metadata: MediaItem['rawMetadata']): number {
  let weight = 0;
  for (const key in metadata) {
    const value = metadata[key];
    if (typeof value === 'object' && value !== null) return JSON.stringify(metadata).length;
    weight += key.length + (typeof value === 'string' ? value.length : 8);
  }
  return weight;
}
