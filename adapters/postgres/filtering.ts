import { foldText, type HiddenRange, type ItemFilter } from '@mca/core/adapter-kit';
import type { Session } from './session.ts';
import { type Bound, float, join, raw, type Sql, sql, text, texts, whole } from './sql.ts';

/**
 * The WHERE condition of a filter, on items called `i`.
 *
 * `|| ''` keeps the planner off the unique index: without statistics it prefers two equalities (user, platform) to the time
 * index, which then costs sorting a whole history for one page, or looking through one for each item.
 */
export function filterCondition(session: Session, filter: ItemFilter): Sql {
  const { connections, imports, users } = session.names;
  const conditions: Sql[] = [
    sql`i.user_no = (SELECT user_no FROM ${users} WHERE user_id = ${text(filter.userId)}) AND NOT i.deleted`,
  ];
  if (filter.from) conditions.push(sql`i.consumed_at >= ${notBefore(filter.from.getTime())}`);
  if (filter.to) conditions.push(sql`i.consumed_at < ${notBefore(filter.to.getTime())}`);
  if (filter.platforms) conditions.push(sql`i.platform || '' = ANY(${texts(filter.platforms)})`);
  if (filter.types) conditions.push(sql`i.type = ANY(${texts(filter.types)})`);
  if (filter.actions) conditions.push(sql`i.action = ANY(${texts(filter.actions)})`);
  if (filter.tag !== undefined) conditions.push(hasTag(filter.tag));
  if (filter.text !== undefined) {
    const needle = foldText(filter.text);
    conditions.push(sql`(${contains('title', needle)} OR ${contains('creator', needle)})`);
  }
  if (filter.minTimeSpentMs !== undefined) conditions.push(sql`i.time_spent_ms >= ${float(filter.minTimeSpentMs)}`);
  if (filter.connectionId !== undefined) {
    conditions.push(
      sql`i.connection_no = (SELECT connection_no FROM ${connections} WHERE id = ${text(filter.connectionId)})`,
    );
  }
  if (filter.importId !== undefined) {
    conditions.push(sql`i.import_no = (SELECT import_no FROM ${imports} WHERE id = ${text(filter.importId)})`);
  }
  if (filter.hidden && filter.hidden.length > 0) {
    const hidden = join(
      filter.hidden.map((range) => hiddenCondition(session, range)),
      ' OR ',
    );
    conditions.push(sql`NOT (i.action = 'consumed' AND (${hidden}))`);
  }
  return join(conditions, ' AND ');
}

/** Dates reach no further; what lies beyond them does not fit into a `bigint`. */
const FURTHEST = 8.64e15;

/** The first whole millisecond that is not before an instant. */
export function notBefore(milliseconds: number): Bound {
  return whole(Math.ceil(Math.min(Math.max(milliseconds, -FURTHEST), FURTHEST)));
}

function notAfter(milliseconds: number): Bound {
  return whole(Math.floor(Math.min(Math.max(milliseconds, -FURTHEST), FURTHEST)));
}

/** Elements are compared as they are written in JSON, because not every text of JSON can become a text of Postgres. */
function hasTag(tag: string): Sql {
  const written = text(JSON.stringify(tag));
  return sql`strpos(i.tags, ${written}) > 0
    AND EXISTS (SELECT 1 FROM json_array_elements(i.tags::json) AS tag WHERE tag::text = ${written})`;
}

function contains(column: 'title' | 'creator', needle: string): Sql {
  const folded = sql`coalesce(i.${raw(column)}_folded, lower(i.${raw(column)} COLLATE "C"))`;
  const sought = sql`${text(needle)}`;
  return LIKE_HALF_A_PAIR.test(needle)
    ? sql`strpos(${unmistakable(folded)}, ${unmistakable(sought)}) > 0`
    : sql`strpos(${folded}, ${sought}) > 0`;
}

/** What begins like this could be found from the middle of an escaped pair on; see `escapeText`. */
const LIKE_HALF_A_PAIR = /^[\0-\x02]/;

/** Escaped text whose pairs end in a capital letter: folded text has none, so nothing begins like half a pair. */
function unmistakable(escaped: Sql): Sql {
  return sql`replace(replace(${escaped}, chr(1) || chr(1), chr(1) || 'A'), chr(1) || chr(2), chr(1) || 'B')`;
}

function hiddenCondition(session: Session, range: HiddenRange): Sql {
  const { connections, items } = session.names;
  const ofConnections = sql`IN (SELECT connection_no FROM ${connections} WHERE id = ANY(${texts(range.connectionIds)}))`;
  const within = ({ from, to }: { readonly from: number; readonly to: number }) =>
    sql`i.consumed_at BETWEEN ${notBefore(from)} AND ${notAfter(to)}`;
  const edges = range.edges.length === 0 ? raw('false') : join(range.edges.map(within), ' OR ');
  const ofAccount =
    range.account === undefined ? raw('') : sql`AND (i.account IS NULL OR i.account = ${text(range.account)})`;
  const finer = sql`EXISTS (SELECT 1 FROM ${items} f WHERE f.user_no = i.user_no AND NOT f.deleted
    AND f.consumed_at BETWEEN i.consumed_at - ${notAfter(range.reachBeforeMs)} AND i.consumed_at + ${notAfter(range.reachAfterMs)}
    AND f.platform || '' = i.platform AND f.title = i.title AND f.action = 'consumed'
    AND f.source = ANY(${texts(range.finerSources)}) AND f.connection_no ${ofConnections})`;
  return sql`(i.platform = ${text(range.platform)} AND i.source = ${text(range.source)} AND i.connection_no ${ofConnections}
    ${ofAccount} AND (${within(range)} OR ((${edges}) AND ${finer})))`;
}
