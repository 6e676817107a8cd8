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
} from '@mca/core/provider-kit';
import { READ_SCOPE } from './auth.ts';
import { channel, googlePage, type LikedVideo, likedStamp, likedVideo, videoFacts } from './live-schemas.ts';

const MOST_PER_PAGE = 50;
const ISO_DURATION = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/;

/**
 * Liked videos, newest first, down to what is stored already. The position is the list and Google's own page token. A
 * page costs two units of the project's quota, the first one three.
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
  const { list, pageToken } = request.cursor === undefined ? await listOfLikes(context) : positionOf(request.cursor);
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
  if (next === undefined || reachesBackTo(request.since, items)) return { records, hasMore: false, ...told };
  return { records, hasMore: true, cursor: `${list}|${next}`, ...told };
}

async function listOfLikes({ http }: ProviderContext): Promise<{ list: string; pageToken: undefined }> {
  const query = { part: 'contentDetails', mine: true };
  const { items = [] } = await http.request({ path: 'channels', operation: 'own-channel', query, schema: googlePage });
  const own = channel.safeParse(items[0]).data;
  return { list: own?.contentDetails?.relatedPlaylists?.likes ?? '', pageToken: undefined };
}

function positionOf(cursor: string): { list: string; pageToken: string } {
  const [, list = '', pageToken = ''] = /^([\w-]{2,64})\|(.{1,512})$/.exec(cursor) ?? [];
  if (list === '') throw cursorInvalid('youtube');
  return { list, pageToken };
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
  if (since === undefined) return false;
  const times = items.map((item) => {
    const { data } = likedStamp.safeParse(item);
    return (data && parseUtc(data.snippet.publishedAt)) ?? Number.POSITIVE_INFINITY;
  });
  return Math.min(...times) <= since;
}

function normalise({ snippet, video }: LikedVideo): RecordResult {
  const at = parseUtc(snippet.publishedAt);
  if (at === undefined) return reject('invalid_date', 'the time of the like cannot be read', 'snippet.publishedAt');
  const { videoId } = snippet.resourceId;
  const { videoOwnerChannelTitle: owner, videoOwnerChannelId: channelId } = snippet;
  // Channels that YouTube makes of an artist's releases.
  const isMusic = owner?.endsWith(' - Topic') ?? false;
  const durationMs = lengthOf(video?.contentDetails?.duration);
  return {
    platform: 'youtube',
    externalId: eventId({ action: 'liked', content: videoId }),
    type: isMusic ? 'music' : 'video',
    action: 'liked',
    title: snippet.title === '' ? `YouTube video ${videoId}` : snippet.title,
    ...(owner !== undefined && { creator: isMusic ? owner.replace(/ - Topic$/, '') : owner }),
    consumedAt: new Date(at),
    ...(durationMs !== undefined && { durationMs }),
    // Whose owner is not told any more is deleted or private.
    tags: owner === undefined ? ['unavailable'] : topicsOf(video?.topicDetails?.topicCategories),
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
