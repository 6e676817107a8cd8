import {
  type ContentRow,
  leaseLost,
  type PageCommit,
  type PageResult,
  type PageVerbs,
  type UpdatePolicy,
  unknownConnection,
  wins,
} from '@mca/core/adapter-kit';
import type { ConnectionNumbers } from './connections.ts';
import { readCursors, writeCursor } from './cursors.ts';
import { addPageCounts, openImport } from './imports.ts';
import { CONTENT_COLUMNS } from './items.ts';
import { isOurs } from './leases.ts';
import { listParked, park, unpark } from './parking.ts';
import type { Queries, Session } from './session.ts';
import { raw, sql, text } from './sql.ts';
import { encodePage, type Incoming, keysOf, storedOf, writeItems } from './writing.ts';

/** Writing pages: one transaction each, whose statements do not grow in number with the items. */
export function pageVerbs(session: Session): PageVerbs {
  return {
    async commitPage(page) {
      // Before the transaction, which then is as short as can be.
      const items = encodePage(page.items);
      return session.write((transaction) => commitPage(session, transaction, page, items));
    },
    async previewPage({ userId, items, policy }) {
      const incoming = encodePage(items);
      return countChanges(incoming, await readStored(session, userId, incoming), policy);
    },
    readCursors: (connectionId, capability) => readCursors(session, connectionId, capability),
    listParked: (connectionId) => listParked(session, connectionId),
  };
}

async function commitPage(
  session: Session,
  transaction: Queries,
  page: PageCommit,
  items: readonly Incoming[],
): Promise<PageResult> {
  const { connectionNo, userNo } = await openPage(session, transaction, page);
  const importNo = page.import ? await openImport(session, transaction, userNo, connectionNo, page.import) : null;
  const owner = { userNo, connectionNo, importNo };
  const { inserted, written, sequence } = await writeItems(session, transaction, owner, items, page.policy);
  const counts = { inserted, updated: written - inserted, unchanged: items.length - written };
  if (importNo !== null) await addPageCounts(session, transaction, importNo, counts);
  if (page.cursor) await writeCursor(session, transaction, connectionNo, page.cursor);
  await park(session, transaction, connectionNo, page.parked ?? []);
  await unpark(session, transaction, connectionNo, page.unparked ?? []);
  return { ...counts, sequence: sequence ?? (await readSequence(session, transaction)) };
}

/**
 * Refuses a page whose lease is lost or whose connection is gone, and keeps both as they are until its end: who takes the
 * lease over, or erases the connection, waits. Then takes the page's turn in the feed.
 */
async function openPage(session: Session, transaction: Queries, page: PageCommit): Promise<ConnectionNumbers> {
  const { connections, leases, take_feed_turn } = session.names;
  const turn = page.items.length === 0 ? raw('NULL') : sql`${take_feed_turn}()`;
  const row = await transaction.row<{ readonly [Name in keyof ConnectionNumbers]: number | null }>(
    sql`WITH held AS MATERIALIZED (SELECT 1 FROM ${leases} WHERE ${isOurs(page.lease)} FOR UPDATE),
          known AS MATERIALIZED (SELECT connection_no, user_no FROM ${connections}
            WHERE id = ${text(page.connectionId)} FOR KEY SHARE)
        SELECT known.connection_no::float8 AS "connectionNo", known.user_no::float8 AS "userNo", ${turn} AS turn
        FROM held LEFT JOIN known ON true`,
  );
  if (!row) throw leaseLost(page.lease.resource);
  const { connectionNo, userNo } = row;
  if (connectionNo === null || userNo === null) throw unknownConnection(page.connectionId);
  return { connectionNo, userNo };
}

/** The last number that the feed gave. */
async function readSequence(session: Session, queries: Queries): Promise<number> {
  const row = await queries.row<{ readonly sequence: number }>(
    sql`SELECT last_value::float8 AS sequence FROM ${session.names.feed_sequence}`,
  );
  return row?.sequence ?? 0;
}

type Stored = ContentRow | 'deleted';

/** What is stored of a page, by the place of its items. */
async function readStored(
  session: Session,
  userId: string,
  items: readonly Incoming[],
): Promise<ReadonlyMap<string, Stored>> {
  if (items.length === 0) return new Map();
  const userNo = sql`(SELECT user_no FROM ${session.names.users} WHERE user_id = ${text(userId)})`;
  const rows = await session.rows<ContentRow & { platform: string; externalId: string; isDeleted: number }>(
    sql`SELECT i.platform, i.external_id AS "externalId", i.deleted::int AS "isDeleted", ${raw(CONTENT_COLUMNS)}
        FROM ${keysOf(items)} CROSS JOIN LATERAL ${storedOf(session, userNo)} i`,
  );
  return new Map(rows.map((row) => [keyOf(row), row.isDeleted ? 'deleted' : row]));
}

/** Decides item by item, seeing what earlier items of the same page would have written. */
function countChanges(items: readonly Incoming[], stored: ReadonlyMap<string, Stored>, policy: UpdatePolicy) {
  const state = new Map(stored);
  const counts = { inserted: 0, updated: 0, unchanged: 0 };
  for (const item of items) {
    const key = keyOf(item);
    const known = state.get(key);
    if (known === undefined) counts.inserted += 1;
    else if (known !== 'deleted' && wins(item.content, known, policy)) counts.updated += 1;
    else {
      counts.unchanged += 1;
      continue;
    }
    state.set(key, item.content);
  }
  return counts;
}

function keyOf({ platform, externalId }: { readonly platform: string; readonly externalId: string }): string {
  return JSON.stringify([platform, externalId]);
}
