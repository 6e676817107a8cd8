import {
  type FetchedPage,
  type HistoryCapability,
  type ItemPage,
  incremental,
  type MediaItem,
  type PageRequest,
  type ProviderContext,
  parseUtc,
} from '@mca/core/provider-kit';
import { SCOPES } from './auth.ts';
import { play, playStamp, playsPage } from './live-schemas.ts';
import { normalisePlay } from './normalise.ts';

/** All that the service remembers. There is no way to ask for more. */
const WINDOW_PLAYS = 50;
/** Nobody hears a track twice in so short a time: the service has told one play twice. */
const REPEAT_WITHIN_MS = 30_000;

const plays = incremental({
  sources: { 'recently-played': { name: 'Recently played', precision: 'second', rank: 2 } },
  order: 'newest-first',
  backfill: false,
  // Plays of devices that were offline, or slow to tell, come hours late and with the time they had.
  overlapMs: 2 * 3_600_000,
  // Fifty tracks last two hours and more: asking four times as often survives a missed turn or two.
  intervalMs: 30 * 60_000,
  scopes: SCOPES.history,
  entry: play,
  fetch,
  normalise: normalisePlay,
});

/**
 * The last fifty plays, in one request: older ones are gone, and the links to them lead to empty pages. A window that
 * does not reach back to what is stored has lost plays, which is told as a gap; an export fills it.
 */
export const history: HistoryCapability = {
  ...plays,
  fetchPage: async (context, request) => withoutRepeats(await plays.fetchPage(context, request)),
};

async function fetch({ http }: ProviderContext, { since, highWater }: PageRequest): Promise<FetchedPage> {
  const { items: records } = await http.request({
    path: 'me/player/recently-played',
    operation: 'recently-played',
    query: {
      // Always the whole window, whatever is wanted: what does not come now never comes.
      limit: WINDOW_PLAYS,
      // `since` is about the start of plays and `after` about their end: whatever began after `since` also ended after it.
      after: since === undefined ? undefined : Math.max(0, Math.floor(since)),
    },
    schema: playsPage,
  });
  const oldest = Math.min(...records.map(startOf));
  const isOverrun = records.length >= WINDOW_PLAYS && highWater !== undefined && oldest > highWater;
  const hasGap = isOverrun && Number.isFinite(oldest);
  return { records, hasMore: false, ...(hasGap && { gap: { from: highWater, to: oldest } }) };
}

/** Bad records are rejected later, one by one; here they only must not pass for old ones. */
function startOf(record: unknown): number {
  const { data } = playStamp.safeParse(record);
  const endedAt = data && parseUtc(data.played_at);
  return endedAt === undefined ? Number.POSITIVE_INFINITY : endedAt - (data?.track?.duration_ms ?? 0);
}

/** Takes out plays that were told twice. The first one stays, so that it keeps its name when its repeat comes later. */
function withoutRepeats(page: ItemPage): ItemPage {
  const lastPlayed = new Map<string, number>();
  const repeats = new Set<MediaItem>();
  for (const item of page.items.toSorted((a, b) => a.consumedAt.getTime() - b.consumedAt.getTime())) {
    const { contentId = item.title, consumedAt, durationMs = REPEAT_WITHIN_MS } = item;
    const last = lastPlayed.get(contentId);
    // Tracks of a few seconds may well be played over and over.
    const closest = Math.min(REPEAT_WITHIN_MS, durationMs);
    if (last !== undefined && consumedAt.getTime() - last < closest) repeats.add(item);
    lastPlayed.set(contentId, consumedAt.getTime());
  }
  if (repeats.size === 0) return page;
  return {
    ...page,
    items: page.items.filter((item) => !repeats.has(item)),
    skipped: { ...page.skipped, duplicate: repeats.size },
  };
}
