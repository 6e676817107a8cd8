import type { DatabaseSync } from 'node:sqlite';

/** Sums over what readers see of every row; equal sums mean equal work. */
export function checksumOf(database: DatabaseSync): string {
  const sums = database
    .prepare(
      `SELECT count(*) AS n, sum(consumed_at / 1000) AS c, sum(time_spent_ms) AS t, sum(length(external_id)) AS e, sum(length(title)) AS ti,
       sum(length(creator)) AS cr, sum(length(url)) AS u, sum(length(ids)) AS i, sum(length(raw_metadata)) AS r FROM mca_items`,
    )
    .get();
  return Object.values(sums ?? {}).join(' ');
}
