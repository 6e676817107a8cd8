import { CONTENT_FIELDS, type ContentRow, type UpdatePolicy } from '@mca/core/adapter-kit';

/** Columns of the content, by field. */
const COLUMNS: Readonly<Record<keyof ContentRow, string>> = {
  type: 'type',
  subtype: 'subtype',
  action: 'action',
  title: 'title',
  creator: 'creator',
  consumedAt: 'consumed_at',
  durationMs: 'duration_ms',
  timeSpentMs: 'time_spent_ms',
  tags: 'tags',
  url: 'url',
  contentId: 'content_id',
  ids: 'ids',
  rating: 'rating',
  source: 'source',
  precision: 'precision',
  account: 'account',
  rawMetadata: 'raw_metadata',
};

const NOT_NULL: ReadonlySet<keyof ContentRow> = new Set([
  'type',
  'action',
  'title',
  'consumedAt',
  'source',
  'precision',
]);

/** Columns of the content, in the order of {@link CONTENT_FIELDS}. */
export const CONTENT_COLUMNS: readonly string[] = CONTENT_FIELDS.map((field) => COLUMNS[field]);

/**
 * The one statement that writes items. Parameters: sequence, user, platform, external id, connection, import, then the
 * content in the order of {@link CONTENT_FIELDS}.
 *
 * What was written shows in its result: no change means the stored row stays; a change whose last inserted row is our
 * sequence means a new row; any other change an updated one, which moves to our sequence. A deleted row never changes.
 */
export const UPSERT_SQL: Readonly<Record<UpdatePolicy, string>> = {
  keep: upsertSql('keep'),
  longest: upsertSql('longest'),
  replace: upsertSql('replace'),
};

function upsertSql(policy: UpdatePolicy): string {
  const columns = ['sequence', 'user_no', 'platform', 'external_id', 'connection_no', 'import_no', ...CONTENT_COLUMNS];
  const insert = `INSERT INTO mca_items (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
    ON CONFLICT (user_no, platform, external_id)`;
  if (policy === 'keep') return `${insert} DO NOTHING`;
  const assignments = ['sequence', ...CONTENT_COLUMNS].map((column) => `${column} = excluded.${column}`);
  return `${insert} DO UPDATE SET ${assignments.join(', ')} WHERE mca_items.deleted = 0 AND ${winsSql(policy)}`;
}

function winsSql(policy: 'longest' | 'replace'): string {
  const differs = CONTENT_COLUMNS.map((column) => `excluded.${column} IS NOT mca_items.${column}`).join(' OR ');
  // Minus infinity stands for what is absent: SQLite puts it before every number, and numbers before every text.
  const comparable = (table: string) =>
    CONTENT_FIELDS.map((field) => {
      const column = `${table}.${COLUMNS[field]}`;
      return NOT_NULL.has(field) ? column : `coalesce(${column}, -9e999)`;
    }).join(', ');
  // The first half is implied by the second. It is there because a repeated import meets equal rows only, and finds
  // them equal a good deal faster this way.
  const isLonger = `(${comparable('excluded')}) > (${comparable('mca_items')})`;
  // One source may correct itself; what another source told is another telling, not an older one.
  const mayReplace = policy === 'replace' ? `(excluded.source = mca_items.source OR ${isLonger})` : isLonger;
  return `(${differs}) AND ${mayReplace}`;
}

/** Turns a stored row into a tombstone: nothing is left of it but its key. Parameters: new sequence, old sequence. */
export const BLANK_SQL: string = `UPDATE mca_items SET sequence = ?, deleted = 1, ${CONTENT_FIELDS.map((field) => {
  if (field === 'consumedAt') return 'consumed_at = 0';
  return NOT_NULL.has(field) ? `${COLUMNS[field]} = ''` : `${COLUMNS[field]} = NULL`;
}).join(', ')} WHERE sequence = ?`;

/** Select list for `ItemRow`, but for the user; the key comes first. The items are called `i`. */
export const ITEM_COLUMNS: readonly string[] = [
  'i.sequence',
  'i.platform',
  'i.external_id AS externalId',
  ...CONTENT_FIELDS.map((field) => `i.${COLUMNS[field]} AS ${field}`),
  '(SELECT c.id FROM mca_connections c WHERE c.connection_no = i.connection_no) AS connectionId',
  '(SELECT m.id FROM mca_imports m WHERE m.import_no = i.import_no) AS importId',
];
