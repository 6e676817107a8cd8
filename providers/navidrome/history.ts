import {
  type FetchedPage,
  type HistoryCapability,
  incremental,
  type PageRequest,
  type ProviderContext,
} from '@mca/core/provider-kit';
import { z } from 'zod';
import { maySendPassword } from './auth.ts';
import { lastPlayed } from './last-played.ts';
import { scrobbles } from './native.ts';
import { type Entry, normalise } from './normalise.ts';
import { type LastPlayedPosition, type Position, readPosition, topOfLastPlayed, writePosition } from './position.ts';
import { envelope } from './schemas.ts';
import { call, playingNow } from './subsonic.ts';

const entry: z.ZodType<Entry> = z.custom<Entry>(
  (value) => typeof value === 'object' && value !== null && 'of' in value,
);

/**
 * What was heard, newest first, from the best source that the server has: Navidrome's own list of scrobbles, the time of
 * the last play of each song, or what plays at this moment. A first walk takes both of the former, one after the other.
 * The position says which source, and how far; after a walk, which scrobbles are given: what is submitted late is new by
 * its row, not by its time.
 */
export const history: HistoryCapability = incremental({
  sources: {
    scrobbles: { name: 'Scrobbles', precision: 'second', rank: 3 },
    'last-played': { name: 'Last play of each song', precision: 'second', rank: 2 },
    'now-playing': { name: 'What plays now', precision: 'minute', rank: 1 },
  },
  order: 'newest-first',
  backfill: false,
  keepsCursor: true,
  intervalMs: 15 * 60_000,
  entry,
  fetch,
  normalise,
});

async function fetch(context: ProviderContext, request: PageRequest): Promise<FetchedPage> {
  const place = request.cursor === undefined ? undefined : readPosition(request.cursor);
  if (place?.of === 'last-played') return ofLastPlayed(context, request, place, false);
  const mayAsk = maySendPassword(context.account);
  const position = place?.of === 'scrobbles' && mayAsk ? place : undefined;
  const known = place?.known ?? 0;
  const page =
    position || (mayAsk && (await isNavidrome(context))) ? await scrobbles(context, position, known) : undefined;
  // No list, or an empty one: the server may have been told not to keep it.
  if (!page || (!position && page.isEmpty)) return ofLastPlayed(context, request, topOfLastPlayed(known), true);
  const { entries, next, top } = page;
  if (next) return goingOn(entries, { of: 'scrobbles', ...next });
  if (request.since !== undefined) return atRest(entries, top);
  // What was played before the server kept the list. Reads leave out what the scrobbles cover.
  return goingOn(entries, { of: 'last-played', ...topOfLastPlayed(top) });
}

/** Only Navidrome has the list: nobody else is sent the password for it. */
async function isNavidrome(context: ProviderContext): Promise<boolean> {
  return (await call(context, 'ping', envelope))['subsonic-response'].type === 'navidrome';
}

async function ofLastPlayed(
  context: ProviderContext,
  { since, highWater }: PageRequest,
  position: LastPlayedPosition,
  isFirst: boolean,
): Promise<FetchedPage> {
  const { known } = position;
  const { entries, next, tellsTimes } = await lastPlayed(context, position, since);
  // A walk that is under way has had a better source.
  if (!tellsTimes && isFirst) return atRest(await playingNow(context, highWater), known);
  return next ? goingOn(entries, { of: 'last-played', ...next }) : atRest(entries, known);
}

function goingOn(records: readonly Entry[], position: Position): FetchedPage {
  return { records, hasMore: true, cursor: writePosition(position) };
}

function atRest(records: FetchedPage['records'], known: number): FetchedPage {
  return { records, hasMore: false, cursor: writePosition({ of: 'rest', known }) };
}
