import {
  decodeGroup,
  decodeItem,
  decodeSummary,
  type GroupField,
  type GroupRow,
  type GroupTally,
  type ItemFilter,
  type ItemRow,
  type ReadVerbs,
  type SummaryRow,
  type Tally,
} from '@mca/core/adapter-kit';
import { allOf, type Condition, filterCondition, when } from './filtering.ts';
import { ITEM_COLUMNS } from './items.ts';
import type { Session } from './session.ts';

const SUMS = 'count(*) AS items, coalesce(sum(i.time_spent_ms), 0) AS timeSpentMs';
const SPAN = 'min(i.consumed_at) AS firstAt, max(i.consumed_at) AS lastAt';

/** Reading and aggregates, all of it in SQL. */
export function readVerbs(session: Session): Pick<ReadVerbs, 'queryItems' | 'timeline' | 'groups' | 'summary'> {
  return {
    queryItems: ({ order, limit, after, ...filter }) =>
      session.run(() => {
        const condition = allOf([filterCondition(filter), ...positionAfter(order, after)]);
        const direction = order === 'oldest' ? 'ASC' : 'DESC';
        const rows = session
          .oneOff(
            `SELECT ${ITEM_COLUMNS.join(', ')} FROM mca_items i WHERE ${condition.sql}
             ORDER BY i.consumed_at ${direction}, i.platform ${direction}, i.external_id ${direction} LIMIT ?`,
          )
          .all(...condition.parameters, limit) as Omit<ItemRow, 'userId'>[];
        return rows.map((row) => decodeItem({ ...row, userId: filter.userId }));
      }),
    timeline: (filter, buckets) =>
      session.run(() => {
        const condition = filterCondition(filter);
        const bounds = buckets.map(({ from, to, dayFrom, dayTo }) => [from, to, dayFrom, dayTo]);
        // CROSS JOIN is SQLite's way to fix the order of loops: buckets outside, a range of the time index inside.
        const rows = session
          .oneOff(
            `WITH bucket AS MATERIALIZED (SELECT key, value ->> 0 AS t_from, value ->> 1 AS t_to,
               value ->> 2 AS d_from, value ->> 3 AS d_to FROM json_each(?))
             SELECT bucket.key AS bucket, ${SUMS} FROM bucket CROSS JOIN mca_items i WHERE ${condition.sql}
               AND i.consumed_at >= min(t_from, d_from) AND i.consumed_at < max(t_to, d_to)
               AND CASE i.precision WHEN 'day' THEN i.consumed_at >= d_from AND i.consumed_at < d_to
                 ELSE i.consumed_at >= t_from AND i.consumed_at < t_to END
             GROUP BY bucket.key`,
          )
          .all(JSON.stringify(bounds), ...condition.parameters) as (Tally & { readonly bucket: number })[];
        const tallies: Tally[] = buckets.map(() => ({ items: 0, timeSpentMs: 0 }));
        for (const { bucket, items, timeSpentMs } of rows) tallies[bucket] = { items, timeSpentMs };
        return tallies;
      }),
    groups: (filter, { by, orderBy, limit }) => session.run(() => readGroups(session, filter, by, orderBy, limit)),
    summary: (filter) =>
      session.run(() => {
        const condition = filterCondition(filter);
        const row = session
          .oneOff(`SELECT ${SUMS}, ${SPAN} FROM mca_items i WHERE ${condition.sql}`)
          .get(...condition.parameters);
        return decodeSummary(row as SummaryRow);
      }),
  };
}

function positionAfter(
  order: 'newest' | 'oldest',
  after: { readonly consumedAt: number; readonly platform: string; readonly externalId: string } | undefined,
): readonly Condition[] {
  if (!after) return [];
  const sign = order === 'oldest' ? '>' : '<';
  return [
    when(
      `(i.consumed_at, i.platform, i.external_id) ${sign} (?, ?, ?)`,
      after.consumedAt,
      after.platform,
      after.externalId,
    ),
  ];
}

function readGroups(
  session: Session,
  filter: ItemFilter,
  by: GroupField,
  orderBy: 'items' | 'timeSpent',
  limit: number,
): readonly GroupTally[] {
  const condition = filterCondition(filter);
  const creator = by === 'title' ? `coalesce(i.creator, '')` : `''`;
  const rows = session
    .oneOff(
      `SELECT coalesce(i.${by}, '') AS value, ${creator} AS creatorOrEmpty, ${SUMS}, ${SPAN}
       FROM mca_items i WHERE ${condition.sql} GROUP BY 1, 2
       ORDER BY ${orderBy === 'items' ? 'items' : 'timeSpentMs'} DESC, 1, 2 LIMIT ?`,
    )
    .all(...condition.parameters, limit);
  return (rows as GroupRow[]).map(decodeGroup);
}
