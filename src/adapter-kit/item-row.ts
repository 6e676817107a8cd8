import { McaError } from '../contracts/errors.ts';
import type { MediaItem, StoredItem } from '../contracts/media-item.ts';

/**
 * The content of an item as columns hold it: times as epoch milliseconds, lists and objects as JSON text, `null` for
 * what is absent or empty. JSON text is compared as written, so the order of keys counts as content.
 */
export interface ContentRow {
  readonly type: string;
  readonly subtype: string | null;
  readonly action: string;
  readonly title: string;
  readonly creator: string | null;
  readonly consumedAt: number;
  readonly durationMs: number | null;
  readonly timeSpentMs: number | null;
  readonly tags: string | null;
  readonly url: string | null;
  readonly contentId: string | null;
  readonly ids: string | null;
  readonly rating: number | null;
  readonly source: string;
  readonly precision: string;
  readonly account: string | null;
  readonly rawMetadata: string | null;
}

/** A stored item as columns hold it. */
export interface ItemRow extends ContentRow {
  readonly userId: string;
  readonly platform: string;
  readonly externalId: string;
  readonly sequence: number;
  readonly connectionId: string;
  readonly importId: string | null;
}

/**
 * The fields of the content in the order in which `longest` compares them. Time spent comes first: it gives the policy its
 * name. Then the later moment: of two ratings of one thing the last one counts.
 */
export const CONTENT_FIELDS: readonly (keyof ContentRow)[] = [
  'timeSpentMs',
  'consumedAt',
  'title',
  'creator',
  'type',
  'subtype',
  'action',
  'durationMs',
  'tags',
  'url',
  'contentId',
  'ids',
  'rating',
  'source',
  'precision',
  'account',
  'rawMetadata',
];

/**
 * Epoch milliseconds of an item's event.
 *
 * @throws McaError `invalid_data` `invalid_date` for an invalid `Date`, which a database would keep as nothing
 */
export function consumedAtMs(item: MediaItem): number {
  const time = item.consumedAt.getTime();
  if (Number.isNaN(time)) {
    throw new McaError({
      code: 'invalid_data',
      reason: 'invalid_date',
      message: `An item of ${item.platform} has an invalid consumedAt.`,
    });
  }
  return time;
}

/** JSON text of a list, or `null` when it is empty. */
export function encodeTags(tags: readonly string[]): string | null {
  return tags.length === 0 ? null : JSON.stringify(tags);
}

/** JSON text of an object, or `null` when nothing in it has a value. */
export function encodeObject(value: object): string | null {
  // Most items have empty ids or metadata; looking is much cheaper than serialising.
  for (const key in value) {
    if ((value as Record<string, unknown>)[key] !== undefined) return JSON.stringify(value);
  }
  return null;
}

/** Content of an item as a row. */
export function encodeItem(item: MediaItem): ContentRow {
  return {
    type: item.type,
    subtype: item.subtype ?? null,
    action: item.action,
    title: item.title,
    creator: item.creator ?? null,
    consumedAt: consumedAtMs(item),
    durationMs: item.durationMs ?? null,
    timeSpentMs: item.timeSpentMs ?? null,
    tags: encodeTags(item.tags),
    url: item.url ?? null,
    contentId: item.contentId ?? null,
    ids: encodeObject(item.ids),
    rating: item.rating ?? null,
    source: item.source,
    precision: item.precision,
    account: item.account ?? null,
    rawMetadata: encodeObject(item.rawMetadata),
  };
}

/** The item of a row. Absent fields are left out rather than set to `undefined`, so that items print and compare well. */
export function decodeItem(row: ItemRow): StoredItem {
  return {
    userId: row.userId,
    platform: row.platform,
    externalId: row.externalId,
    type: row.type as StoredItem['type'],
    ...(row.subtype !== null && { subtype: row.subtype }),
    action: row.action as StoredItem['action'],
    title: row.title,
    ...(row.creator !== null && { creator: row.creator }),
    consumedAt: new Date(row.consumedAt),
    ...(row.durationMs !== null && { durationMs: row.durationMs }),
    ...(row.timeSpentMs !== null && { timeSpentMs: row.timeSpentMs }),
    tags: row.tags === null ? [] : (JSON.parse(row.tags) as string[]),
    ...(row.url !== null && { url: row.url }),
    ...(row.contentId !== null && { contentId: row.contentId }),
    ids: row.ids === null ? {} : (JSON.parse(row.ids) as StoredItem['ids']),
    ...(row.rating !== null && { rating: row.rating }),
    source: row.source,
    precision: row.precision as StoredItem['precision'],
    ...(row.account !== null && { account: row.account }),
    rawMetadata: row.rawMetadata === null ? {} : (JSON.parse(row.rawMetadata) as StoredItem['rawMetadata']),
    sequence: row.sequence,
    connectionId: row.connectionId,
    ...(row.importId !== null && { importId: row.importId }),
  };
}
