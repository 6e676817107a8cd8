import { type HistoryCapability, incremental, parseUtc } from '@mca/core/provider-kit';
import { normaliseWatched } from './normalise.ts';
import { type Kind, listed, withSeasons } from './schemas.ts';
import { nextPage } from './walk.ts';

/**
 * Films and episodes that the user watched. Simkl keeps the last time of each, and tells what changed since it was asked
 * before, with all episodes of it.
 */
export const history: HistoryCapability = incremental({
  sources: { 'all-items': { name: 'Watched films and episodes', precision: 'second', rank: 1 } },
  // What is stored counts as whole only when a walk is through.
  order: 'newest-first',
  backfill: false,
  keepsCursor: true,
  intervalMs: 60 * 60_000,
  entry: listed,
  fetch: (context, request) =>
    nextPage(context, request, {
      source: 'all-items',
      path: (type) => `sync/all-items/${type}`,
      operation: 'all-items',
      query: { extended: 'full', episode_watched_at: 'yes' },
      stampOf: ({ all }) => all,
      recordsOf,
    }),
  normalise: normaliseWatched,
});

/** A record for each episode; things without episodes are one themselves. */
function recordsOf(kind: Kind, entries: readonly unknown[]): readonly unknown[] {
  return entries.flatMap((each) => {
    const { data } = withSeasons.safeParse(each);
    if (!data) return [{ kind, entry: each }];
    const { seasons, ...entry } = data;
    const firstWatchedAt = firstOf(seasons.flatMap(({ episodes }) => episodes ?? []));
    const episodes = seasons.flatMap(({ number: season, episodes }) =>
      (episodes ?? []).map((episode) => ({ kind, entry, season, firstWatchedAt, episode })),
    );
    return episodes.length === 0 ? [{ kind, entry }] : episodes;
  });
}

/** When the first of them was watched, of those that say so; as Simkl wrote it. */
function firstOf(episodes: readonly unknown[]): string | undefined {
  const dated = episodes.flatMap((each) => {
    const said = (each as { readonly watched_at?: unknown } | null)?.watched_at;
    const at = typeof said === 'string' ? parseUtc(said) : undefined;
    return at === undefined ? [] : [{ at, said: said as string }];
  });
  return dated.sort((a, b) => a.at - b.at)[0]?.said;
}
