import {
  CONTENT_FIELDS,
  type ContentRow,
  encodeItem,
  foldText,
  type MediaItem,
  type UpdatePolicy,
} from '@mca/core/adapter-kit';
import { ASSIGNMENTS, COLUMNS, type Column, FOLDED, winsSql } from './items.ts';
import type { Queries, Session } from './session.ts';
import { type Bound, float, join, numbers, raw, type Sql, sql, text, texts, whole } from './sql.ts';

/** Pages up to this size are always compared with what is stored before anything is written. */
const SMALL_PAGE = 500;
/** How many keys of a larger page tell whether comparing pays. */
const SAMPLE = 50;

/** An item as it is written. */
export interface Incoming {
  readonly platform: string;
  readonly externalId: string;
  readonly content: ContentRow;
}

/** Whose the rows become. */
export interface Owner {
  readonly userNo: number;
  readonly connectionNo: number;
  readonly importNo: number | null;
}

/** What was written. */
export interface Written {
  readonly inserted: number;
  /** Inserted and updated. */
  readonly written: number;
  /** The highest number given, if any was. */
  readonly sequence: number | null;
}

/** Encodes items and puts them in the order of keys, in which every writer writes: so no two wait for one another. */
export function encodePage(items: readonly MediaItem[]): readonly Incoming[] {
  return items
    .map((item) => ({ platform: item.platform, externalId: item.externalId, content: encodeItem(item) }))
    .sort((a, b) => compareUnits(a.platform, b.platform) || compareUnits(a.externalId, b.externalId));
}

/** Any order does, as long as it is everybody's; this one is the fastest. */
function compareUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Writes encoded items within a transaction that holds its turn in the feed. */
export async function writeItems(
  session: Session,
  transaction: Queries,
  owner: Owner,
  items: readonly Incoming[],
  policy: UpdatePolicy,
): Promise<Written> {
  let total: Written = { inserted: 0, written: 0, sequence: null };
  for (const round of roundsOf(items)) {
    const isCompared = await paysComparing(session, transaction, owner.userNo, round);
    const row = await transaction.row<Written>(writeSql(session, owner, round, policy, isCompared));
    if (!row) continue;
    total = {
      inserted: total.inserted + row.inserted,
      written: total.written + row.written,
      sequence: Math.max(total.sequence ?? 0, row.sequence ?? 0) || null,
    };
  }
  return total;
}

/** One statement may meet a key once only: the second of a page comes in the second round, and sees what the first did. */
function roundsOf(items: readonly Incoming[]): readonly (readonly Incoming[])[] {
  const rounds: Incoming[][] = [];
  let round = 0;
  for (const [index, item] of items.entries()) {
    const before = items[index - 1];
    const isRepeat = before?.externalId === item.externalId && before.platform === item.platform;
    round = isRepeat ? round + 1 : 0;
    const sameRound = rounds[round] ?? [];
    rounds[round] = sameRound;
    sameRound.push(item);
  }
  return rounds;
}

/**
 * Whether most of a page is stored. Then looking first costs less than offering each row to the table: an unchanged row
 * costs no number, no lock and no write-ahead log. When most of it is new, looking is in vain.
 */
async function paysComparing(
  session: Session,
  transaction: Queries,
  userNo: number,
  items: readonly Incoming[],
): Promise<boolean> {
  if (items.length <= SMALL_PAGE) return true;
  const step = items.length / SAMPLE;
  const sample = Array.from({ length: SAMPLE }, (_, index) => items[Math.floor(index * step)] as Incoming);
  const row = await transaction.row<{ readonly number: number }>(
    sql`SELECT count(*)::float8 AS number FROM ${keysOf(sample)} CROSS JOIN LATERAL ${storedOf(session, whole(userNo))} i`,
  );
  return (row?.number ?? 0) >= SAMPLE / 2;
}

/** Keys of items as rows called `x`, in order. */
export function keysOf(items: readonly Incoming[]): Sql {
  const platforms = texts(items.map(({ platform }) => platform));
  const externalIds = texts(items.map(({ externalId }) => externalId));
  return sql`unnest(${platforms}, ${externalIds}) WITH ORDINALITY AS x (platform, external_id, place)`;
}

/** The stored row of each key in `x`. LIMIT fixes the plan: one look into the index per key, whatever the statistics say. */
export function storedOf(session: Session, userNo: Sql | Bound): Sql {
  return sql`(SELECT * FROM ${session.names.items} s
    WHERE s.user_no = ${userNo} AND s.platform = x.platform AND s.external_id = x.external_id LIMIT 1)`;
}

function writeSql(
  session: Session,
  { userNo, connectionNo, importNo }: Owner,
  items: readonly Incoming[],
  policy: UpdatePolicy,
  isCompared: boolean,
): Sql {
  const { names, columns } = incomingRows(items);
  const compared = sql`LEFT JOIN LATERAL ${storedOf(session, whole(userNo))} i ON true
    WHERE i.user_no IS NULL OR (NOT i.deleted AND ${raw(winsSql('x', 'i', policy))})`;
  const conflict =
    policy === 'keep'
      ? raw('DO NOTHING')
      : raw(`DO UPDATE SET ${ASSIGNMENTS} WHERE NOT i.deleted AND ${winsSql('excluded', 'i', policy)}`);
  return sql`WITH written AS (
    INSERT INTO ${session.names.items} AS i (sequence, user_no, connection_no, import_no, ${raw(names)})
    SELECT ${session.next('feed_sequence')}, ${whole(userNo)}, ${whole(connectionNo)}, ${whole(importNo)}, x.*
    FROM ${columns} x ${isCompared ? compared : raw('')}
    ON CONFLICT (user_no, platform, external_id) ${conflict}
    RETURNING i.xmax = 0 AS is_new, i.sequence)
  SELECT count(*) FILTER (WHERE is_new)::float8 AS inserted, count(*)::float8 AS written,
    max(sequence)::float8 AS sequence FROM written`;
}

/**
 * Items as rows, handed over column by column: a column in which all items agree (most do, within one file) as one value,
 * others as a list each. Two to three times as fast as JSON or rows of parameters.
 */
function incomingRows(items: readonly Incoming[]): { readonly names: string; readonly columns: Sql } {
  const single: { name: string; sql: Sql }[] = [];
  const lists: { name: string; list: Bound }[] = [];
  const add = ({ name, type }: Column, values: readonly (string | number | null)[]) => {
    const [first = null] = values;
    // The key always is a list: something has to say how many rows there are.
    if (name !== 'external_id' && values.every((value) => value === first)) {
      const bound = type === 'text' ? text(first as string | null) : numberOf(first as number | null, type);
      single.push({ name, sql: sql`${bound} AS ${raw(name)}` });
    } else {
      const list = type === 'text' ? texts(values as (string | null)[]) : numbers(values as (number | null)[], type);
      lists.push({ name, list });
    }
  };
  add(
    { name: 'platform', type: 'text', nullable: false },
    items.map(({ platform }) => platform),
  );
  add(
    { name: 'external_id', type: 'text', nullable: false },
    items.map(({ externalId }) => externalId),
  );
  for (const field of CONTENT_FIELDS)
    add(
      COLUMNS[field],
      items.map(({ content }) => content[field]),
    );
  const [title, creator] = FOLDED as readonly [Column, Column];
  add(
    title,
    items.map(({ content }) => foldedIfNeeded(content.title)),
  );
  add(
    creator,
    items.map(({ content }) => foldedIfNeeded(content.creator)),
  );
  const names = [...single, ...lists].map(({ name }) => name).join(', ');
  const constants = single.map((each) => sql`${each.sql}, `);
  return {
    names,
    columns: sql`(SELECT ${join(constants, '')}v.* FROM unnest(${join(
      lists.map(({ list }) => sql`${list}`),
      ', ',
    )}) AS v (${raw(lists.map(({ name }) => name).join(', '))}))`,
  };
}

function numberOf(value: number | null, type: 'float8' | 'bigint'): Bound {
  return type === 'float8' ? float(value) : whole(value);
}

/** The text folded for searching, unless lower case of its ASCII letters is the same: that Postgres can do by itself. */
function foldedIfNeeded(value: string | null): string | null {
  if (value === null || ASCII.test(value)) return null;
  const folded = foldText(value);
  return folded === value.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) ? null : folded;
}

const ASCII = /^[\x00-\x7f]*$/;
