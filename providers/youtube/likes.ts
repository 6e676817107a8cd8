import {
  cursorInvalid,
  eventId,
  type FetchedPage,
  incremental,
  type LibraryCapability,
  type PageRequest,
  type ProviderContext,
  parseUtc,
  type RecordResult,
  reject,
  skip,
} from '@mca/core/provider-kit';
import { READ_SCOPE } from './auth.ts';
import { channel, googlePage, type LikedVideo, likedStamp, likedVideo, videoFacts } from './live-schemas.ts';

const MOST_PER_PAGE = 50;
/** Some 5,000 likes can be read, say others. With so many a list that ends is cut; the number of all is never exact. */
const NEAR_THE_END = 4_500;
/** Before YouTube there was nothing to like. */
const FIRST_LIKE = Date.UTC(2005, 1, 14);
const ISO_DURATION = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/;

/**
 * Liked videos, newest first, down to what is stored already. The position is the list, how many were read, and Google's
 * own page token. A page costs two units of the project's quota, the first one three.
 */
export const library: LibraryCapability = incremental({
  sources: { 'liked-videos': { name: 'Liked videos', precision: 'second', rank: 1 } },
  order: 'newest-first',
  backfill: false,
  intervalMs: 12 * 3_600_000,
  scopes: [READ_SCOPE],
  entry: likedVideo,
  fetch,
  normalise,
});

async function fetch(context: ProviderContext, request: PageRequest): Promise<FetchedPage> {
  const { list, before, pageToken } =
    request.cursor === undefined ? await listOfLikes(context) : positionOf(request.cursor);
  // An account without a channel, or whose likes are not to be had.
  if (list === '') return { records: [], hasMore: false };
  const page = await context.http.request({
    path: 'playlistItems',
    operation: 'liked-videos',
    query: { part: 'snippet', playlistId: list, maxResults: Math.min(request.limit, MOST_PER_PAGE), pageToken },
    schema: googlePage,
  });
  const { items = [], nextPageToken: next, pageInfo } = page;
  const records = await withFacts(context, items);
  const total = pageInfo?.totalResults;
  const told = total === undefined ? {} : { total };
  if (reachesBackTo(request.since, items)) return { records, hasMore: false, ...told };
  const read = before + items.length;
  if (next !== undefined) return { records, hasMore: true, cursor: `${list}|${read}|${next}`, ...told };
  const isCut = read >= NEAR_THE_END && total !== undefined && total > read;
  const gap = { from: request.since ?? FIRST_LIKE, to: Math.min(context.now(), ...timesOf(items)) };
  return { records, hasMore: false, ...told, ...(isCut && { gap }) };
}

interface Place {
  readonly list: string;
  /** How many likes were read before. */
  readonly before: number;
  readonly pageToken: string | undefined;
}

async function listOfLikes({ http }: ProviderContext): Promise<Place> {
  const query = { part: 'contentDetails', mine: true };
  const { items = [] } = await http.request({ path: 'channels', operation: 'own-channel', query, schema: googlePage });
  const own = channel.safeParse(items[0]).data;
  return { list: own?.contentDetails?.relatedPlaylists?.likes ?? '', before: 0, pageToken: undefined };
}

function positionOf(cursor: string): Place {
  const [, list = '', before = '', pageToken = ''] = /^([\w-]{2,64})\|(\d{1,9})\|(.{1,512})$/.exec(cursor) ?? [];
  if (list === '') throw cursorInvalid('youtube');
  return { list, before: Number(before), pageToken };
}

/** Lengths and topics, of fifty videos for one unit. Videos that are gone are silently missing. */
async function withFacts({ http }: ProviderContext, items: readonly unknown[]): Promise<readonly unknown[]> {
  const ids = items.flatMap((item) => likedStamp.safeParse(item).data?.snippet.resourceId?.videoId ?? []);
  if (ids.length === 0) return items;
  const query = { part: 'contentDetails,topicDetails', id: [...new Set(ids)].join(','), maxResults: MOST_PER_PAGE };
  const page = await http.request({ path: 'videos', operation: 'video-facts', query, schema: googlePage });
  const facts = new Map(
    (page.items ?? []).flatMap((item) => videoFacts.safeParse(item).data ?? []).map((each) => [each.id, each]),
  );
  return items.map((item) => {
    const video = facts.get(likedStamp.safeParse(item).data?.snippet.resourceId?.videoId ?? '');
    return video ? { ...(item as object), video } : item;
  });
}

/** Everything further down the list was liked before `since`. Bad records say nothing about that. */
function reachesBackTo(since: number | undefined, items: readonly unknown[]): boolean {
  return since !== undefined && Math.min(...timesOf(items)) <= since;
}

function timesOf(items: readonly unknown[]): readonly number[] {
  return items.map((item) => {
    const { data } = likedStamp.safeParse(item);
    return (data && parseUtc(data.snippet.publishedAt)) ?? Number.POSITIVE_INFINITY;
  });
}

function normalise({ snippet, video }: LikedVideo): RecordResult {
  const at = parseUtc(snippet.publishedAt);
  if (at === undefined) return reject('invalid_date', 'the time of the like cannot be read', 'snippet.publishedAt');
  const { videoId } = snippet.resourceId;
  const { videoOwnerChannelTitle: owner, videoOwnerChannelId: channelId } = snippet;
  // Deleted or private: what stands in place of its title must not take the place of what is stored.
  if (owner === undefined) return skip('unavailable');
  // Channels that YouTube makes of an artist's releases.
  const isMusic = owner.endsWith(' - Topic');
  const durationMs = lengthOf(video?.contentDetails?.duration);
  return {
    platform: 'youtube',
    externalId: eventId({ action: 'liked', content: videoId }),
    type: isMusic ? 'music' : 'video',
    action: 'liked',
    title: snippet.title === '' ? `YouTube video ${videoId}` : snippet.title,
    creator: isMusic ? owner.replace(/ - Topic$/, '') : owner,
    consumedAt: new Date(at),
    ...(durationMs !== undefined && { durationMs }),
    tags: topicsOf(video?.topicDetails?.topicCategories),
    url: `https://${isMusic ? 'music' : 'www'}.youtube.com/watch?v=${videoId}`,
    contentId: videoId,
    ids: { youtube: videoId },
    source: 'liked-videos',
    precision: 'second',
    rawMetadata: channelId === undefined ? {} : { channelId },
  };
}

/** Milliseconds; live videos have none. */
function lengthOf(duration: string | undefined): number | undefined {
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] = ISO_DURATION.exec(duration ?? '') ?? [];
  const length = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
  return length > 0 ? length * 1_000 : undefined;
}

/** `https://en.wikipedia.org/wiki/Pop_music` → `Pop music`. */
function topicsOf(addresses: readonly string[] = []): readonly string[] {
  return addresses
    .map((address) => (address.split('/').at(-1) ?? '').replaceAll('_', ' '))
    .filter((topic) => topic !== '');
}
