import type { MediaItem } from '@mca/core';
import type pg from 'pg';
import { makeDice } from './dice.ts';

const FIRST = Date.UTC(2015, 0, 1);

/** The same plays every time, oldest first. */
export function makeItems(count: number): MediaItem[] {
  const dice = makeDice(42);
  const tracks = Array.from({ length: 20_000 }, () => ({
    uri: `spotify:track:${dice.id(22)}`,
    title: dice.words(3),
    creator: dice.words(2),
    album: dice.words(3),
  }));
  return Array.from({ length: count }, (_, index) => {
    const { uri, title, creator, album } = dice.pick(tracks);
    const consumedAt = new Date(FIRST + index * 180_000);
    return {
      platform: 'spotify',
      externalId: `${consumedAt.getTime() / 1_000}:${uri}`,
      type: 'music',
      action: 'consumed',
      title,
      creator,
      consumedAt,
      timeSpentMs: 30_000 + dice.below(200_000),
      tags: [],
      url: `https://open.spotify.com/track/${uri.slice(14)}`,
      contentId: uri,
      ids: { spotify: uri.slice(14) },
      source: 'extended-history',
      precision: 'second',
      rawMetadata: { album, reasonStart: 'trackdone', reasonEnd: 'trackdone' },
    };
  });
}

/** Sums over what readers see of every row; equal sums mean equal work. */
export async function checksumOfPostgres(pool: pg.Pool, schema: string): Promise<string> {
  const { rows } = await pool.query(
    `SELECT count(*) AS n, sum(consumed_at / 1000) AS c, sum(time_spent_ms) AS t, sum(length(external_id)) AS e,
       sum(length(title)) AS ti, sum(length(creator)) AS cr, sum(length(url)) AS u, sum(length(ids)) AS i,
       sum(length(raw_metadata)) AS r FROM ${schema}.items`,
  );
  return Object.values(rows[0] ?? {}).join(' ');
}
