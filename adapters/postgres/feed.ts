import { type ChangeRow, CONTENT_FIELDS, decodeChange, type ReadVerbs } from '@mca/core/adapter-kit';
import { BLANK, itemColumns } from './items.ts';
import type { Session } from './session.ts';
import { raw, type Sql, sql, text, whole } from './sql.ts';

/** How many times the page size is looked through in order of sequence before one user's rows are gathered instead. */
const WINDOW_PAGES = 20;

/** The change feed, and deleting one item. */
export function feedVerbs(session: Session): Pick<ReadVerbs, 'changes' | 'deleteItem'> {
  const { items, take_feed_turn, users } = session.names;
  return {
    async changes({ after, limit, userId }) {
      const horizon = await readHorizon(session);
      // In a statement that starts after the horizon was read: that is what makes all of it visible.
      return (await readFeed(session, { after, limit, horizon, userId })).map(decodeChange);
    },
    deleteItem: ({ userId, platform, externalId }) =>
      session.write(async (transaction) => {
        await transaction.rows(sql`SELECT ${take_feed_turn}()`);
        const row = await transaction.row(
          sql`UPDATE ${items} SET sequence = ${session.next('feed_sequence')}, ${raw(BLANK)}
              WHERE user_no = (SELECT user_no FROM ${users} WHERE user_id = ${text(userId)})
                AND platform = ${text(platform)} AND external_id = ${text(externalId)} AND NOT deleted
              RETURNING 1 AS removed`,
        );
        return row !== undefined;
      }),
  };
}

/** Up to where the feed holds still; see the first migration for why. */
async function readHorizon(session: Session): Promise<number> {
  const row = await session.row<{ readonly horizon: number }>(
    sql`SELECT ${session.names.feed_horizon}()::float8 AS horizon`,
  );
  return row?.horizon ?? 0;
}

/** Where in the feed to read. */
interface Stretch {
  readonly after: number;
  readonly limit: number;
  readonly horizon: number;
  readonly userId?: string | undefined;
}

/**
 * One user's changes have no index of their own, which would cost every insert. Where the user is common in the feed, the
 * next rows are mostly theirs; where rare, all of theirs are few enough to be sorted.
 */
async function readFeed(session: Session, stretch: Stretch): Promise<readonly ChangeRow[]> {
  const { after, limit, horizon, userId } = stretch;
  const upTo = (last: number) => sql`sequence > ${whole(after)} AND sequence <= ${whole(last)}`;
  if (userId === undefined) return session.rows<ChangeRow>(feedSql(session, upTo(horizon), limit));
  const user = sql`(SELECT user_no FROM ${session.names.users} WHERE user_id = ${text(userId)})`;
  const end = after + limit * WINDOW_PAGES;
  // `+ 0` keeps the planner off an index: here off those by user, below off the one by sequence.
  const near = sql`user_no + 0 = ${user} AND ${upTo(Math.min(end, horizon))}`;
  const rows = await session.rows<ChangeRow>(feedSql(session, near, limit));
  if (rows.length >= limit || end >= horizon) return rows;
  const far = sql`user_no = ${user} AND sequence + 0 > ${whole(after)} AND sequence + 0 <= ${whole(horizon)}`;
  return session.rows<ChangeRow>(feedSql(session, far, limit));
}

/**
 * Items and removals in one statement, because two statements would see two states of the database and could skip what
 * was written between them. Each half is cut at the limit before they are merged.
 */
function feedSql(session: Session, condition: Sql, limit: number): Sql {
  const { items, removals, users } = session.names;
  const cut = whole(limit);
  const userOf = (table: string) =>
    sql`(SELECT u.user_id FROM ${users} u WHERE u.user_no = ${raw(table)}.user_no) AS "userId"`;
  // The width of the select list has to agree; a removal has nothing but its key.
  const empty = raw('NULL, '.repeat(CONTENT_FIELDS.length + 2));
  return sql`(SELECT ${itemColumns(session)}, i.deleted::int AS "isRemoved", ${userOf('i')}
      FROM ${items} i WHERE ${condition} ORDER BY i.sequence LIMIT ${cut})
    UNION ALL (SELECT r.sequence::float8, r.platform, r.external_id, ${empty} 1, ${userOf('r')}
      FROM ${removals} r WHERE ${condition} ORDER BY r.sequence LIMIT ${cut})
    ORDER BY sequence LIMIT ${cut}`;
}
