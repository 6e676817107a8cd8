import { foldText, type HiddenRange, type ItemFilter } from '@mca/core/adapter-kit';
import type { SqlValue } from './driver.ts';

/** A condition and its parameters. */
export interface Condition {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

const connectionNo = '(SELECT connection_no FROM mca_connections WHERE id = ?)';
const importNo = '(SELECT import_no FROM mca_imports WHERE id = ?)';

/**
 * The WHERE condition of a filter, on items called `i`.
 *
 * The unary `+` keeps the planner off the unique index: without statistics it prefers two equalities (user, platform)
 * to the time index, which then costs sorting a whole history for one page.
 */
export function filterCondition(filter: ItemFilter): Condition {
  const conditions: Condition[] = [
    when('i.user_no = (SELECT user_no FROM mca_users WHERE user_id = ?) AND i.deleted = 0', filter.userId),
  ];
  if (filter.from) conditions.push(when('i.consumed_at >= ?', filter.from.getTime()));
  if (filter.to) conditions.push(when('i.consumed_at < ?', filter.to.getTime()));
  if (filter.platforms) conditions.push(oneOf('+i.platform', filter.platforms));
  if (filter.types) conditions.push(oneOf('i.type', filter.types));
  if (filter.actions) conditions.push(oneOf('i.action', filter.actions));
  if (filter.tag !== undefined) {
    conditions.push(when('EXISTS (SELECT 1 FROM json_each(i.tags) AS tag WHERE tag.value = ?)', filter.tag));
  }
  if (filter.text !== undefined) {
    const needle = foldText(filter.text);
    conditions.push(when('(instr(mca_fold(i.title), ?) > 0 OR instr(mca_fold(i.creator), ?) > 0)', needle, needle));
  }
  if (filter.minTimeSpentMs !== undefined) conditions.push(when('i.time_spent_ms >= ?', filter.minTimeSpentMs));
  if (filter.connectionId !== undefined)
    conditions.push(when(`i.connection_no = ${connectionNo}`, filter.connectionId));
  if (filter.importId !== undefined) conditions.push(when(`i.import_no = ${importNo}`, filter.importId));
  if (filter.hidden && filter.hidden.length > 0) {
    const hidden = anyOf(filter.hidden.map(hiddenCondition));
    conditions.push({ sql: `NOT (i.action = 'consumed' AND ${hidden.sql})`, parameters: hidden.parameters });
  }
  return allOf(conditions);
}

/** Conditions joined by AND. */
export function allOf(conditions: readonly Condition[]): Condition {
  return {
    sql: conditions.map(({ sql }) => sql).join(' AND '),
    parameters: conditions.flatMap(({ parameters }) => parameters),
  };
}

/** A condition with its parameters. */
export function when(sql: string, ...parameters: readonly SqlValue[]): Condition {
  return { sql, parameters };
}

function oneOf(column: string, values: readonly string[]): Condition {
  return when(`${column} IN (${values.map(() => '?').join(', ')})`, ...values);
}

/** Conditions joined by OR as a balanced tree: SQLite limits how deep an expression may nest, and a long chain nests deeply. */
function anyOf(conditions: readonly Condition[]): Condition {
  const [first, ...rest] = conditions;
  if (!first) return when('0');
  if (rest.length === 0) return first;
  const middle = conditions.length >>> 1;
  const [left, right] = [anyOf(conditions.slice(0, middle)), anyOf(conditions.slice(middle))];
  return { sql: `(${left.sql} OR ${right.sql})`, parameters: [...left.parameters, ...right.parameters] };
}

function hiddenCondition(range: HiddenRange): Condition {
  const ids = range.connectionIds.map(() => '?').join(', ');
  const connections = `(SELECT connection_no FROM mca_connections WHERE id IN (${ids}))`;
  const coarse = when(
    `i.platform = ? AND i.source = ? AND i.connection_no IN ${connections}`,
    range.platform,
    range.source,
    ...range.connectionIds,
  );
  const within = (from: number, to: number) => when('i.consumed_at BETWEEN ? AND ?', from, to);
  const edges = anyOf(range.edges.map(({ from, to }) => within(from, to)));
  const finer = when(
    `EXISTS (SELECT 1 FROM mca_items f WHERE f.user_no = i.user_no AND f.deleted = 0
       AND f.consumed_at BETWEEN i.consumed_at - ? AND i.consumed_at + ? AND +f.platform = i.platform
       AND f.title = i.title AND f.action = 'consumed' AND f.source IN (${range.finerSources.map(() => '?').join(', ')})
       AND f.connection_no IN ${connections})`,
    range.reachBeforeMs,
    range.reachAfterMs,
    ...range.finerSources,
    ...range.connectionIds,
  );
  const ofAccount = range.account === undefined ? [] : [when('(i.account IS NULL OR i.account = ?)', range.account)];
  const hidden = anyOf([within(range.from, range.to), parenthesised(allOf([edges, finer]))]);
  return parenthesised(allOf([coarse, ...ofAccount, hidden]));
}

function parenthesised(condition: Condition): Condition {
  return { sql: `(${condition.sql})`, parameters: condition.parameters };
}
