import {
  type Clock,
  consumedAtMs,
  encodeObject,
  encodeTags,
  type MediaItem,
  type PageResult,
  type PageVerbs,
  type UpdatePolicy,
} from '@mca/core/adapter-kit';
import { ensureUser, findConnection } from './connections.ts';
import { readSequence, writeSequence } from './counters.ts';
import { readCursors, writeCursor } from './cursors.ts';
import type { SqlValue } from './driver.ts';
import { addPageCounts, openImport } from './imports.ts';
import { UPSERT_SQL } from './items.ts';
import { assertLease } from './leases.ts';
import { listParked, park, unpark } from './parking.ts';
import type { Session } from './session.ts';
import { holds, readStoredRows } from './stored-rows.ts';

/** Writing pages: one transaction each, one prepared statement per item. */
export function pageVerbs(session: Session, clock: Clock): PageVerbs {
  return {
    commitPage: (page) =>
      session.write(() => {
        assertLease(session, page.lease);
        const { connectionNo, userNo } = findConnection(session, page.connectionId);
        const importNo = page.import ? openImport(session, clock, userNo, connectionNo, page.import) : null;
        const result = writeItems(session, { userNo, connectionNo, importNo }, page.items, page.policy);
        if (importNo !== null) addPageCounts(session, importNo, result);
        if (page.cursor) writeCursor(session, connectionNo, page.cursor.capability, page.cursor.value);
        for (const record of page.parked ?? []) park(session, connectionNo, record, clock.now());
        for (const id of page.unparked ?? []) unpark(session, connectionNo, id);
        return result;
      }),
    previewPage: ({ userId, items, policy }) =>
      session.rehearse(() => {
        const userNo = ensureUser(session, userId);
        const { inserted, updated, unchanged } = writeItems(
          session,
          { userNo, connectionNo: 0, importNo: null },
          items,
          policy,
        );
        return { inserted, updated, unchanged };
      }),
    readCursors: (connectionId, capability) => session.run(() => readCursors(session, connectionId, capability)),
    listParked: (connectionId) => session.run(() => listParked(session, connectionId)),
  };
}

function writeItems(
  session: Session,
  owner: { readonly userNo: number; readonly connectionNo: number; readonly importNo: number | null },
  items: readonly MediaItem[],
  policy: UpdatePolicy,
): PageResult {
  const { userNo, connectionNo, importNo } = owner;
  const statement = session.statement(UPSERT_SQL[policy]);
  const before = readSequence(session);
  let sequence = before;
  let inserted = 0;
  let isFirst = true;
  const stored = readStoredRows(session, userNo, items);
  for (const item of items) {
    const content = contentOf(item);
    const known = stored.get(item.externalId);
    if (known && holds(known, content)) continue;
    if (isFirst) {
      // `lastInsertRowid` outlives transactions that were rolled back, and an update leaves it alone: without an insert
      // of a row that cannot be ours, an updated item could look like an inserted one.
      session.statement('REPLACE INTO mca_counters SELECT * FROM mca_counters').run();
      isFirst = false;
    }
    const { changes, lastInsertRowid } = statement.run(
      sequence + 1,
      userNo,
      item.platform,
      item.externalId,
      connectionNo,
      importNo,
      ...content,
    );
    // Whatever this did to the row, what was read of it may be out of date.
    if (known) stored.delete(item.externalId);
    if (changes === 0) continue;
    sequence += 1;
    if (lastInsertRowid === sequence) inserted += 1;
  }
  if (sequence !== before) writeSequence(session, sequence);
  const written = sequence - before;
  return { inserted, updated: written - inserted, unchanged: items.length - written, sequence };
}

/** In the order of CONTENT_FIELDS. */
function contentOf(item: MediaItem): readonly SqlValue[] {
  return [
    item.timeSpentMs ?? null,
    consumedAtMs(item),
    item.title,
    item.creator ?? null,
    item.type,
    item.subtype ?? null,
    item.action,
    item.durationMs ?? null,
    encodeTags(item.tags),
    item.url ?? null,
    item.contentId ?? null,
    encodeObject(item.ids),
    item.rating ?? null,
    item.source,
    item.precision,
    item.account ?? null,
    encodeObject(item.rawMetadata),
  ];
}
