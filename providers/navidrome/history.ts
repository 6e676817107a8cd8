import {
  cursorInvalid,
  type FetchedPage,
  type HistoryCapability,
  incremental,
  type PageRequest,
  type ProviderContext,
} from '@mca/core/provider-kit';
import { z } from 'zod';
import { scrobbles } from './native.ts';
import { type Entry, normalise } from './normalise.ts';
import { envelope } from './schemas.ts';
import { call, lastPlayed, playingNow } from './subsonic.ts';

const entry: z.ZodType<Entry> = z.custom<Entry>(
  (value) => typeof value === 'object' && value !== null && 'of' in value,
);

/**
 * What was heard, newest first, from the best source that the server has: Navidrome's own list of scrobbles, the time of
 * the last play of each song, or what plays at this moment. The position says which source, and how far.
 */
export const history: HistoryCapability = incremental({
  sources: {
    scrobbles: { name: 'Scrobbles', precision: 'second', rank: 3 },
    'last-played': { name: 'Last play of each song', precision: 'second', rank: 2 },
    'now-playing': { name: 'What plays now', precision: 'minute', rank: 1 },
  },
  order: 'newest-first',
  backfill: false,
  intervalMs: 15 * 60_000,
  entry,
  fetch,
  normalise,
});

async function fetch(context: ProviderContext, request: PageRequest): Promise<FetchedPage> {
  const position = positionOf(request);
  if (position?.of === 'last-played') return ofLastPlayed(context, request, position.offset);
  const own = position ?? (await firstOfScrobbles(context));
  const page = own && (await scrobbles(context, { ...own, since: request.since }));
  if (!page) return ofLastPlayed(context, request, 0);
  const { entries, next } = page;
  return next
    ? { records: entries, hasMore: true, cursor: `s.${next.to}.${next.seen}` }
    : { records: entries, hasMore: false };
}

/** Only Navidrome has the list: nobody else is sent the password for it. */
async function firstOfScrobbles(context: ProviderContext): Promise<{ to: number; seen: number } | undefined> {
  const { type } = (await call(context, 'ping', envelope))['subsonic-response'];
  if (type !== 'navidrome') return undefined;
  // A server whose clock is ahead has plays of the future.
  return { to: Math.floor(context.now() / 1_000) + 86_400, seen: 0 };
}

async function ofLastPlayed(
  context: ProviderContext,
  { since, highWater }: PageRequest,
  offset: number,
): Promise<FetchedPage> {
  const { entries, next, tellsTimes } = await lastPlayed(context, { offset, since });
  if (!tellsTimes && offset === 0) return { records: await playingNow(context, highWater), hasMore: false };
  return next === undefined
    ? { records: entries, hasMore: false }
    : { records: entries, hasMore: true, cursor: `p.${next}` };
}

type Position = { readonly of: 'scrobbles'; to: number; seen: number } | { readonly of: 'last-played'; offset: number };

function positionOf({ cursor }: PageRequest): Position | undefined {
  if (cursor === undefined) return undefined;
  const [, offset] = /^p\.(\d{1,9})$/.exec(cursor) ?? [];
  if (offset !== undefined) return { of: 'last-played', offset: Number(offset) };
  const [, to, seen] = /^s\.(\d{1,12})\.(\d{1,9})$/.exec(cursor) ?? [];
  if (to === undefined || seen === undefined) throw cursorInvalid('navidrome');
  return { of: 'scrobbles', to: Number(to), seen: Number(seen) };
}
