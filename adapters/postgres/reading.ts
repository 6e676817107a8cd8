import {
  decodeGroup,
  decodeItem,
  decodeSummary,
  type GroupField,
  type GroupRow,
  type GroupTally,
  type ItemFilter,
  type ItemRow,
  type Keyset,
  type ReadVerbs,
  type SummaryRow,
  type Tally,
  type TimeBucket,
} from '@mca/core/adapter-kit';
import { filterCondition, notBefore } from './filtering.ts';
import { itemColumns } from './items.ts';
import type { Session } from './session.ts';
import { type Bound, numbers, raw, type Sql, sql, text, whole } from './sql.ts';

const SUMS = raw('count(*)::float8 AS items, coalesce(sum(i.time_spent_ms), 0) AS "timeSpentMs"');
const SPAN = raw('min(i.consumed_at)::float8 AS "firstAt", max(i.consumed_at)::float8 AS "lastAt"');

/** Reading and aggregates, all of it in SQL. */
export function readVerbs(session: Session): Pick<ReadVerbs, 'queryItems' | 'timeline' | 'groups' | 'summary'> {
  const { items } = session.names;
  return {
    async queryItems({ order, limit, after, ...filter }) {
      const direction = raw(order === 'oldest' ? 'ASC' : 'DESC');
      const rows = await session.rows<Omit<ItemRow, 'userId'>>(
        sql`SELECT ${itemColumns(session)} FROM ${items} i
            WHERE ${filterCondition(session, filter)} ${positionAfter(order, after)}
            ORDER BY i.consumed_at ${direction}, i.platform ${direction}, i.external_id ${direction}
            LIMIT ${whole(limit)}`,
      );
      return rows.map((row) => decodeItem({ ...row, userId: filter.userId }));
    },
    async timeline(filter, buckets) {
      const tallies: Tally[] = buckets.map(() => ({ items: 0, timeSpentMs: 0 }));
      // Each bucket is a range of the time index.
      const rows = await session.rows<Tally & { readonly bucket: number }>(
        sql`SELECT b.place::float8 - 1 AS bucket, sums.* FROM unnest(${bounds(buckets, 'from')}, ${bounds(buckets, 'to')},
              ${bounds(buckets, 'dayFrom')}, ${bounds(buckets, 'dayTo')})
              WITH ORDINALITY AS b (t_from, t_to, d_from, d_to, place)
            CROSS JOIN LATERAL (SELECT ${SUMS} FROM ${items} i WHERE ${filterCondition(session, filter)}
              AND i.consumed_at >= least(t_from, d_from) AND i.consumed_at < greatest(t_to, d_to)
              AND CASE i.precision WHEN 'day' THEN i.consumed_at >= d_from AND i.consumed_at < d_to
                ELSE i.consumed_at >= t_from AND i.consumed_at < t_to END) sums
            WHERE sums.items > 0`,
      );
      for (const { bucket, items: count, timeSpentMs } of rows) tallies[bucket] = { items: count, timeSpentMs };
      return tallies;
    },
    groups: (filter, request) => readGroups(session, filter, request),
    async summary(filter) {
      const row = await session.row<SummaryRow>(
        sql`SELECT ${SUMS}, ${SPAN} FROM ${items} i WHERE ${filterCondition(session, filter)}`,
      );
      return decodeSummary(row ?? { items: 0, timeSpentMs: 0, firstAt: null, lastAt: null });
    },
  };
}

function bounds(buckets: readonly TimeBucket[], bound: keyof TimeBucket): Bound {
  return numbers(
    buckets.map((bucket) => notBefore(bucket[bound]).value as number),
    'bigint',
  );
}

/** The first condition is implied by the second. It is the one that finds its place in the time index. */
function positionAfter(order: 'newest' | 'oldest', after: Keyset | undefined): Sql {
  if (!after) return raw('');
  const position = sql`(${notBefore(after.consumedAt)}, ${text(after.platform)}, ${text(after.externalId)})`;
  return order === 'oldest'
    ? sql`AND i.consumed_at >= ${notBefore(after.consumedAt)} AND (i.consumed_at, i.platform, i.external_id) > ${position}`
    : sql`AND i.consumed_at <= ${notBefore(after.consumedAt)} AND (i.consumed_at, i.platform, i.external_id) < ${position}`;
}

async function readGroups(
  session: Session,
  filter: ItemFilter,
  { by, orderBy, limit }: { readonly by: GroupField; readonly orderBy: 'items' | 'timeSpent'; readonly limit: number },
): Promise<readonly GroupTally[]> {
  const creator = raw(by === 'title' ? `coalesce(i.creator, '')` : `''`);
  const rows = await session.rows<GroupRow>(
    sql`SELECT * FROM (SELECT coalesce(i.${raw(by)}, '') COLLATE "C" AS value, ${creator} COLLATE "C" AS "creatorOrEmpty",
            ${SUMS}, ${SPAN} FROM ${session.names.items} i WHERE ${filterCondition(session, filter)} GROUP BY 1, 2) sums
        ORDER BY ${raw(orderBy === 'items' ? 'items' : '"timeSpentMs"')} DESC, value, "creatorOrEmpty"
        LIMIT ${whole(limit)}`,
  );
  return rows.map(decodeGroup);
}
