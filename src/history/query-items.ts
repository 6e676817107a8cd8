import { McaError } from '../contracts/errors.ts';
import type { StoredItem } from '../contracts/media-item.ts';
import type { Keyset } from '../contracts/storage/index.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { parseBase64UrlJson } from '../runtime/cursor.ts';
import { toBase64Url, utf8 } from '../runtime/encoding.ts';
import { checkLimit, type ReadFilter, storageFilter } from './read-filter.ts';

/** Which items, in which order, and where to go on. */
export interface QueryOptions extends ReadFilter {
  /** @default 'newest' */
  readonly order?: 'newest' | 'oldest' | undefined;
  /** 1 to 1,000. @default 50 */
  readonly limit?: number | undefined;
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
}

/** A page of items. */
export interface ItemsPage {
  readonly items: readonly StoredItem[];
  /** Where the next page begins; absent on the last one. */
  readonly nextCursor?: string | undefined;
}

const MOST_PER_PAGE = 1_000;
const PAGE_OF_ITERATION = 500;

/**
 * One page of a user's history. Pages follow one another without gap or repeat, also while imports are running.
 *
 * @throws McaError `invalid_data` for a cursor that is not ours, or a limit out of range
 * @example
 * ```ts
 * const { items, nextCursor } = await queryItems(registry, { userId: 'ana', type: 'music', text: 'björk', limit: 20 });
 * ```
 */
export async function queryItems(registry: AnyRegistry, options: QueryOptions): Promise<ItemsPage> {
  const limit = checkLimit(options.limit ?? 50, MOST_PER_PAGE);
  const after = options.cursor === undefined ? undefined : decodeKeyset(options.cursor);
  const filter = await storageFilter(registry, options);
  // One more than asked for tells whether there is a next page.
  const found = await registry.storage.queryItems({
    ...filter,
    order: options.order ?? 'newest',
    limit: limit + 1,
    after,
  });
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: found.length > limit && last ? encodeKeyset(last) : undefined };
}

/**
 * A user's history, item by item, in constant memory.
 *
 * @example
 * ```ts
 * for await (const item of iterateItems(registry, { userId: 'ana', platform: 'netflix' })) console.log(item.title);
 * ```
 */
export async function* iterateItems(
  registry: AnyRegistry,
  options: Omit<QueryOptions, 'limit' | 'cursor'>,
): AsyncGenerator<StoredItem, void, undefined> {
  const filter = await storageFilter(registry, options);
  const order = options.order ?? 'newest';
  let after: Keyset | undefined;
  do {
    const items = await registry.storage.queryItems({ ...filter, order, limit: PAGE_OF_ITERATION, after });
    yield* items;
    const last = items.length === PAGE_OF_ITERATION ? items.at(-1) : undefined;
    after = last && keysetOf(last);
  } while (after);
}

function keysetOf({ consumedAt, platform, externalId }: StoredItem): Keyset {
  return { consumedAt: consumedAt.getTime(), platform, externalId };
}

function encodeKeyset(item: StoredItem): string {
  const { consumedAt, platform, externalId } = keysetOf(item);
  return toBase64Url(utf8(JSON.stringify([1, consumedAt, platform, externalId])));
}

function decodeKeyset(cursor: string): Keyset {
  const value = parseBase64UrlJson(cursor);
  if (Array.isArray(value)) {
    const [version, consumedAt, platform, externalId] = value as unknown[];
    if (
      version === 1 &&
      Number.isInteger(consumedAt) &&
      typeof platform === 'string' &&
      typeof externalId === 'string'
    ) {
      return { consumedAt: consumedAt as number, platform, externalId };
    }
  }
  throw new McaError({
    code: 'invalid_data',
    reason: 'cursor_invalid',
    message: 'This cursor does not come from queryItems.',
    hint: 'Start again without a cursor.',
  });
}
