import { CONTENT_FIELDS, type ContentRow, type UpdatePolicy } from '@mca/core/adapter-kit';
import type { Session } from './session.ts';
import { raw, type Sql, sql } from './sql.ts';

/** A column of the items. */
export interface Column {
  readonly name: string;
  readonly type: 'text' | 'float8' | 'bigint';
  readonly nullable: boolean;
}

const text = (name: string): Column => ({ name, type: 'text', nullable: false });
const optional = (name: string): Column => ({ name, type: 'text', nullable: true });
const float = (name: string): Column => ({ name, type: 'float8', nullable: true });

/** Columns of the content, by field. */
export const COLUMNS: Readonly<Record<keyof ContentRow, Column>> = {
  type: text('type'),
  subtype: optional('subtype'),
  action: text('action'),
  title: text('title'),
  creator: optional('creator'),
  consumedAt: { name: 'consumed_at', type: 'bigint', nullable: false },
  durationMs: float('duration_ms'),
  timeSpentMs: float('time_spent_ms'),
  tags: optional('tags'),
  url: optional('url'),
  contentId: optional('content_id'),
  ids: optional('ids'),
  rating: float('rating'),
  source: text('source'),
  precision: text('precision'),
  account: optional('account'),
  rawMetadata: optional('raw_metadata'),
};

const CONTENT: readonly Column[] = CONTENT_FIELDS.map((field) => COLUMNS[field]);

/** Titles and creators for searching: only where lower case of ASCII letters would not do. */
export const FOLDED: readonly Column[] = [optional('title_folded'), optional('creator_folded')];

/** What an update changes. */
const CHANGED = ['sequence', ...CONTENT.map(({ name }) => name), ...FOLDED.map(({ name }) => name)];

/** Assignments of `ON CONFLICT DO UPDATE`: the row moves to its new place in the feed. */
export const ASSIGNMENTS: string = CHANGED.map((name) => `${name} = excluded.${name}`).join(', ');

/** Whether incoming content takes the place of the stored one, as `wins` of the kit says. Both are names of rows. */
export function winsSql(incoming: string, stored: string, policy: UpdatePolicy): string {
  if (policy === 'keep') return 'false';
  const differs = CONTENT.map(({ name }) => `${incoming}.${name} IS DISTINCT FROM ${stored}.${name}`).join(' OR ');
  const isLonger = `(${comparable(incoming)}) > (${comparable(stored)})`;
  // One source may correct itself; what another source told is another telling, not an older one.
  const mayReplace = policy === 'replace' ? `(${incoming}.source = ${stored}.source OR ${isLonger})` : isLonger;
  // The first half is implied by the second. It is there because a repeated import meets equal rows only, and finds
  // them equal a good deal faster this way.
  return `(${differs}) AND ${mayReplace}`;
}

/** What is absent comes before everything: before every number, and before the empty text. */
function comparable(row: string): string {
  return CONTENT.map(({ name, type, nullable }) => {
    const column = `${row}.${name}`;
    if (!nullable) return column;
    return type === 'text' ? `${column} IS NOT NULL, coalesce(${column}, '')` : `coalesce(${column}, '-Infinity')`;
  }).join(', ');
}

/** Turns a stored row into a tombstone: nothing is left of it but its key. */
export const BLANK: string = [
  'deleted = true',
  ...[...CONTENT, ...FOLDED].map(({ name, type, nullable }) => {
    if (nullable) return `${name} = NULL`;
    return type === 'text' ? `${name} = ''` : `${name} = 0`;
  }),
].join(', ');

/** Select list for `ContentRow`. The items are called `i`. */
export const CONTENT_COLUMNS: string = CONTENT_FIELDS.map((field) => {
  const { name, type } = COLUMNS[field];
  return type === 'bigint' ? `i.${name}::float8 AS "${field}"` : `i.${name} AS "${field}"`;
}).join(', ');

/** Select list for `ItemRow`, but for the user; the key comes first. The items are called `i`. */
export function itemColumns({ names: { connections, imports } }: Session): Sql {
  return sql`i.sequence::float8 AS sequence, i.platform, i.external_id AS "externalId", ${raw(CONTENT_COLUMNS)},
    (SELECT c.id FROM ${connections} c WHERE c.connection_no = i.connection_no) AS "connectionId",
    (SELECT m.id FROM ${imports} m WHERE m.import_no = i.import_no) AS "importId"`;
}
