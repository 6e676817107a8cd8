import { McaError } from '../contracts/errors.ts';
import type { GroupField, GroupTally, Tally, TimeBucket } from '../contracts/storage/index.ts';
import { checkOneOf } from '../registry/check-one-of.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { checkLimit, type ReadFilter, storageFilter } from './read-filter.ts';
import { bucketStart, isoDate, nextBucket, startOfDay, type TimelineUnit, zoneOf } from './time-zone.ts';

/** How to cut time. */
export interface TimelineOptions extends ReadFilter {
  readonly by: TimelineUnit;
  /** IANA name. Items of day precision keep their calendar day in every zone. @default 'UTC' */
  readonly timeZone?: string | undefined;
}

/** One bucket of a timeline. */
export interface TimelineEntry extends Tally {
  /** First calendar day of the bucket, `2024-05-01`. */
  readonly date: string;
  /** First instant of the bucket. */
  readonly start: Date;
}

/** Two centuries of days; more is a mistake. */
const MOST_BUCKETS = 75_000;

/**
 * Items and time spent per day, week, month or year, from the first item to the last, empty buckets included.
 *
 * @throws McaError `invalid_data` for an unknown time zone
 * @example
 * ```ts
 * const months = await timeline(registry, { userId: 'ana', type: 'music', by: 'month', timeZone: 'Europe/Berlin' });
 * ```
 */
export async function timeline(registry: AnyRegistry, options: TimelineOptions): Promise<readonly TimelineEntry[]> {
  const zone = zoneOf(options.timeZone ?? 'UTC');
  checkOneOf(options.by, UNITS, 'by');
  const filter = await storageFilter(registry, options);
  const { firstAt, lastAt } = await registry.storage.summary(filter);
  if (!firstAt || !lastAt) return [];
  // Items of day precision stand at UTC midnight, which may be the day before or after in the zone.
  const first = options.from ?? new Date(firstAt.getTime() - DAY_MS);
  const last = options.to ?? new Date(lastAt.getTime() + DAY_MS);
  const buckets: (TimeBucket & { readonly date: string })[] = [];
  let date = bucketStart(zone, options.by, first.getTime());
  let from = startOfDay(zone, date);
  while (from <= last.getTime()) {
    const next = nextBucket(options.by, date);
    const to = startOfDay(zone, next);
    const [dayFrom, dayTo] = [
      Date.UTC(date.year, date.month - 1, date.day),
      Date.UTC(next.year, next.month - 1, next.day),
    ];
    buckets.push({ from, to, dayFrom, dayTo, date: isoDate(date) });
    if (buckets.length > MOST_BUCKETS) throw tooLong(options.by);
    date = next;
    from = to;
  }
  const tallies = await registry.storage.timeline(filter, buckets);
  const entries = buckets.map((bucket, index): TimelineEntry => {
    const { items, timeSpentMs } = tallies[index] ?? { items: 0, timeSpentMs: 0 };
    return { date: bucket.date, start: new Date(bucket.from), items, timeSpentMs };
  });
  return withoutEmptyEnds(entries);
}

const UNITS: readonly TimelineUnit[] = ['day', 'week', 'month', 'year'];
const GROUP_FIELDS: readonly GroupField[] = ['platform', 'type', 'subtype', 'creator', 'title', 'source'];
const DAY_MS = 86_400_000;

function withoutEmptyEnds(entries: readonly TimelineEntry[]): readonly TimelineEntry[] {
  const first = entries.findIndex(({ items }) => items > 0);
  const last = entries.findLastIndex(({ items }) => items > 0);
  return first === -1 ? [] : entries.slice(first, last + 1);
}

function tooLong(by: TimelineUnit): McaError {
  return new McaError({
    code: 'invalid_data',
    reason: 'too_many_buckets',
    message: `The timeline would have more than ${MOST_BUCKETS} entries by ${by}.`,
    hint: 'Narrow it with `from` and `to`, or use a longer unit.',
  });
}

/** What to rank, and by what. */
export interface TopOptions extends ReadFilter {
  readonly by: GroupField;
  /** @default 'items' */
  readonly orderBy?: 'items' | 'timeSpent' | undefined;
  /** 1 to 1,000. @default 10 */
  readonly limit?: number | undefined;
}

/**
 * The user's top creators, titles, platforms or types. By `title`, what has the same title and creator is one: also two
 * episodes of one name in one series. Ratings and likes count as plays do, unless `action` says otherwise.
 *
 * @example
 * ```ts
 * const artists = await topGroups(registry, { userId: 'ana', type: 'music', by: 'creator', orderBy: 'timeSpent' });
 * ```
 */
export async function topGroups(registry: AnyRegistry, options: TopOptions): Promise<readonly GroupTally[]> {
  const limit = checkLimit(options.limit ?? 10, 1_000);
  checkOneOf(options.by, GROUP_FIELDS, 'by');
  const filter = await storageFilter(registry, options);
  return registry.storage.groups(filter, { by: options.by, orderBy: options.orderBy ?? 'items', limit });
}

/** How much there is in all. */
export interface Summary extends Tally {
  readonly firstAt?: Date | undefined;
  readonly lastAt?: Date | undefined;
}

/**
 * Number of items, time spent, first and last event.
 *
 * @example
 * ```ts
 * const { items, timeSpentMs } = await summarise(registry, { userId: 'ana', from: new Date('2024-01-01') });
 * ```
 */
export async function summarise(registry: AnyRegistry, filter: ReadFilter): Promise<Summary> {
  return registry.storage.summary(await storageFilter(registry, filter));
}
