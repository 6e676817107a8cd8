/** A like, as YouTube keeps it. */
export interface FakeLike {
  readonly video: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly title?: string;
  /** Absent for videos that are gone. */
  readonly owner?: string | undefined;
  readonly duration?: string;
  readonly topics?: readonly string[];
  /** Sent in place of a well-formed entry. */
  readonly raw?: unknown;
}

export const TOKEN = 'ya29.canary-token';
export const CHANNEL = 'UCmeMeMeMeMeMeMeMeMeMeMe';
export const API = 'https://www.googleapis.com/youtube/v3';

/** An id of eleven characters out of a number. */
export function videoOf(number: number): string {
  return `v${String(number).padStart(10, '0')}`;
}

/**
 * YouTube's API in memory: the own channel, the list of likes newest first by page tokens that are positions, facts of up
 * to fifty videos. Lists without entries have no `items`.
 */
export class YouTubeServer {
  readonly calls: { readonly path: string; readonly query: Readonly<Record<string, string>>; readonly status: number }[] = [];
  /** Answers the next calls so. */
  readonly failures: Response[] = [];
  readonly likes: FakeLike[];
  hasChannel = true;
  /** `totalResults` in place of the right one. */
  total: number | undefined;

  constructor(likes: readonly FakeLike[] = []) {
    this.likes = [...likes];
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const reply = this.failures.shift() ?? this.#answer(url, request);
    this.calls.push({
      path: url.pathname.split('/').at(-1) ?? '',
      query: Object.fromEntries(url.searchParams),
      status: reply.status,
    });
    return reply;
  };

  #answer({ pathname, searchParams: query }: URL, request: Request): Response {
    if (request.headers.get('authorization') !== `Bearer ${TOKEN}`) return refusal(401, 'authError', 'UNAUTHENTICATED');
    switch (pathname) {
      case '/youtube/v3/channels':
        return listed('channel', this.hasChannel ? [this.#channel()] : []);
      case '/youtube/v3/playlistItems':
        return this.#page(query);
      case '/youtube/v3/videos':
        return this.#videos((query.get('id') ?? '').split(','));
      default:
        return refusal(404, 'notFound');
    }
  }

  #channel(): unknown {
    return {
      kind: 'youtube#channel',
      etag: 'e1',
      id: CHANNEL,
      snippet: { title: 'Ana' },
      contentDetails: { relatedPlaylists: { likes: 'LL', uploads: 'UUmeMeMe' } },
    };
  }

  #page(query: URLSearchParams): Response {
    if (query.get('playlistId') !== 'LL') return refusal(404, 'playlistNotFound');
    const token = query.get('pageToken') ?? 'P0';
    if (!/^P\d+$/.test(token)) return refusal(400, 'invalidPageToken');
    const size = Number(query.get('maxResults') ?? 5);
    if (size > 50) return refusal(400, 'invalidParameter');
    const start = Number(token.slice(1));
    const all = this.likes.toSorted((a, b) => b.at - a.at);
    const next = start + size < all.length ? { nextPageToken: `P${start + size}` } : {};
    const items = all.slice(start, start + size).map((like, index) => entryOf(like, start + index));
    return listed('playlistItem', items, { ...next, pageInfo: { totalResults: this.total ?? all.length, resultsPerPage: size } });
  }

  #videos(ids: readonly string[]): Response {
    if (ids.length > 50) return refusal(400, 'invalidFilters');
    const known = this.likes.filter(({ video, owner }) => ids.includes(video) && owner !== undefined);
    return listed(
      'video',
      known.map(({ video, duration = 'PT3M20S', topics = [] }) => ({
        kind: 'youtube#video',
        etag: 'e3',
        id: video,
        contentDetails: { duration, definition: 'hd' },
        ...(topics.length > 0 && { topicDetails: { topicCategories: topics } }),
      })),
    );
  }
}

function entryOf({ video, at, title = `Video ${video}`, owner, raw }: FakeLike, position: number): unknown {
  if (raw !== undefined) return raw;
  return {
    kind: 'youtube#playlistItem',
    etag: 'e2',
    id: `TEwu${video}`,
    snippet: {
      publishedAt: new Date(at).toISOString().replace('.000Z', 'Z'),
      channelId: CHANNEL,
      channelTitle: 'Ana',
      title,
      playlistId: 'LL',
      position,
      ...(owner !== undefined && { videoOwnerChannelTitle: owner, videoOwnerChannelId: 'UCowner' }),
      resourceId: { kind: 'youtube#video', videoId: video },
      thumbnails: {},
    },
  };
}

function listed(kind: string, items: readonly unknown[], more: object = {}): Response {
  return Response.json({ kind: `youtube#${kind}ListResponse`, etag: 'e', ...more, ...(items.length > 0 && { items }) });
}

/** An error as Google answers it. */
export function refusal(status: number, reason: string, name?: string): Response {
  const message = `Because of <b>${reason}</b>.`;
  const errors = [{ message, domain: 'youtube', reason }];
  return Response.json({ error: { code: status, message, ...(name && { status: name }), errors } }, { status });
}
