import { McaError } from '../contracts/errors.ts';
import type { MediaAction, MediaType } from '../contracts/media-item.ts';
import type { ItemFilter } from '../contracts/storage/index.ts';
import { checkOneOf } from '../registry/check-one-of.ts';
import { checkUserId } from '../registry/check-user-id.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { hiddenRanges } from './hidden-ranges.ts';

/** Which items to read. Fields combine with AND, lists within a field with OR. */
export interface ReadFilter {
  readonly userId: string;
  readonly platform?: string | readonly string[] | undefined;
  readonly type?: MediaType | readonly MediaType[] | undefined;
  /** @default every action */
  readonly action?: MediaAction | readonly MediaAction[] | undefined;
  /** First instant, included. */
  readonly from?: Date | undefined;
  /** Last instant, excluded. */
  readonly to?: Date | undefined;
  readonly tag?: string | undefined;
  /** Part of title or creator, in any letter case. */
  readonly text?: string | undefined;
  /** Only items of at least this time spent, in milliseconds. */
  readonly minTimeSpentMs?: number | undefined;
  readonly connectionId?: string | undefined;
  readonly importId?: string | undefined;
  /**
   * `finest` shows each interval as its finest source tells it, so that a coarse and a fine export of one account do not
   * count twice; `all` shows every stored row.
   *
   * @default 'finest'
   */
  readonly resolve?: 'finest' | 'all' | undefined;
}

/** Turns what a host asks into what a store understands. */
export async function storageFilter(registry: AnyRegistry, filter: ReadFilter): Promise<ItemFilter> {
  checkUserId(filter.userId);
  checkInstant(filter.from, 'from');
  checkInstant(filter.to, 'to');
  for (const type of listOf(filter.type) ?? []) checkOneOf(type, TYPES, 'type');
  for (const action of listOf(filter.action) ?? []) checkOneOf(action, ACTIONS, 'action');
  if (filter.resolve !== undefined) checkOneOf(filter.resolve, ['finest', 'all'], 'resolve');
  await registry.ready();
  const { userId, from, to, tag, text, minTimeSpentMs, connectionId, importId } = filter;
  return {
    userId,
    platforms: listOf(filter.platform),
    types: listOf(filter.type),
    actions: listOf(filter.action),
    from,
    to,
    tag,
    text: text === '' ? undefined : text,
    minTimeSpentMs,
    connectionId,
    importId,
    hidden: filter.resolve === 'all' ? undefined : await hiddenRanges(registry, userId),
  };
}

const TYPES: readonly MediaType[] = ['music', 'video', 'podcast', 'audiobook', 'article', 'book'];
const ACTIONS: readonly MediaAction[] = ['consumed', 'liked', 'saved', 'rated'];

function listOf<T extends string>(value: T | readonly T[] | undefined): readonly T[] | undefined {
  return value === undefined || typeof value === 'object' ? value : [value];
}

function checkInstant(value: Date | undefined, name: string): void {
  if (value === undefined || (value instanceof Date && !Number.isNaN(value.getTime()))) return;
  throw new McaError({
    code: 'invalid_data',
    reason: 'invalid_date',
    message: `"${name}" is no valid Date.`,
    hint: 'Pass a Date.',
  });
}

/** @throws McaError `invalid_data` unless the limit is a whole number from 1 to `most`. */
export function checkLimit(limit: number, most: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= most) return limit;
  throw new McaError({
    code: 'invalid_data',
    reason: 'invalid_limit',
    message: `"limit" must be a whole number from 1 to ${most}.`,
    hint: 'Use the cursor for more.',
  });
}
