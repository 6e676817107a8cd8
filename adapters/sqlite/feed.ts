import { type ChangeRow, decodeChange, type ReadVerbs } from '@mca/core/adapter-kit';
import { readSequence, writeSequence } from './counters.ts';
import { BLANK_SQL, ITEM_COLUMNS } from './items.ts';
import type { Session } from './session.ts';

/** How many times the page size is looked through in order of sequence before one user's rows are gathered instead. */
const WINDOW_PAGES = 20;

/** The change feed, and deleting one item. */
export function feedVerbs(session: Session): Pick<ReadVerbs, 'changes' | 'deleteItem'> {
  return {
    changes: ({ after, limit, userId }) => session.run(() => readFeed(session, after, limit, userId).map(decodeChange)),
    deleteItem: ({ userId, platform, externalId }) =>
      session.write(() => {
        const known = session
          .statement(
            `SELECT sequence FROM mca_items WHERE user_no = (SELECT user_no FROM mca_users WHERE user_id = ?)
             AND platform = ? AND external_id = ? AND deleted = 0`,
          )
          .get(userId, platform, externalId) as { readonly sequence: number } | undefined;
        if (!known) return false;
        const sequence = readSequence(session) + 1;
        session.statement(BLANK_SQL).run(sequence, known.sequence);
        writeSequence(session, sequence);
        return true;
      }),
  };
}

/**
 * One user's changes have no index of their own, which would cost every insert a tenth. Where the user is common in the
 * feed, the next rows of the table are mostly theirs; where rare, all of theirs are few enough to be sorted.
 */
function readFeed(session: Session, after: number, limit: number, userId: string | undefined): readonly ChangeRow[] {
  if (userId === undefined) return session.statement(FEED).all(after, limit, after, limit, limit) as ChangeRow[];
  const end = after + limit * WINDOW_PAGES;
  const isNearTip = end >= readSequence(session);
  const near = [userId, after, end, limit];
  const rows = session.statement(FEED_NEAR).all(...near, ...near, limit) as ChangeRow[];
  if (rows.length >= limit || isNearTip) return rows;
  const far = [userId, after, limit];
  return session.statement(FEED_OF_USER).all(...far, ...far, limit) as ChangeRow[];
}

/**
 * Items and removals in one statement, because two statements would see two states of the database and could skip what
 * was written between them. Each half is cut at the limit before they are merged.
 */
function feedSql(condition: string): string {
  // The width of the select list has to agree; a removal has nothing but its key.
  const empty = ITEM_COLUMNS.slice(3)
    .map(() => 'NULL')
    .join(', ');
  const userId = (table: string) => `(SELECT u.user_id FROM mca_users u WHERE u.user_no = ${table}.user_no) AS userId`;
  return `SELECT * FROM (
      SELECT ${ITEM_COLUMNS.join(', ')}, i.deleted AS isRemoved, ${userId('i')}
      FROM mca_items i WHERE ${condition} ORDER BY sequence LIMIT ?)
    UNION ALL SELECT * FROM (
      SELECT r.sequence, r.platform, r.external_id, ${empty}, 1, ${userId('r')}
      FROM mca_removals r WHERE ${condition} ORDER BY sequence LIMIT ?)
    ORDER BY sequence LIMIT ?`;
}

const ofUser = 'user_no = (SELECT user_no FROM mca_users WHERE user_id = ?)';

/** Everybody's changes. Parameters: after and limit for each half, limit. */
export const FEED: string = feedSql('sequence > ?');
/** One user's changes within a window of sequences. The `+` keeps the planner on the table's own order. */
export const FEED_NEAR: string = feedSql(`+${ofUser} AND sequence > ? AND sequence <= ?`);
/** All of one user's changes. The `+` keeps the planner on the indexes by user. */
export const FEED_OF_USER: string = feedSql(`${ofUser} AND +sequence > ?`);
