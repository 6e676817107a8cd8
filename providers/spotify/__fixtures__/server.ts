/** A play as the service keeps it. */
export interface FakePlay {
  /** Epoch milliseconds of its end. */
  readonly endedAt: number;
  readonly id: string;
  readonly durationMs?: number;
  readonly context?: string;
  /** Replaces fields of its track; `null` is no track at all. */
  readonly track?: Readonly<Record<string, unknown>> | null;
  /** Sent in place of a well-formed one. */
  readonly raw?: unknown;
}

/** A track the user saved. */
export interface FakeSaved {
  /** Epoch milliseconds. */
  readonly addedAt: number;
  readonly id: string;
  readonly track?: Readonly<Record<string, unknown>> | null;
  readonly raw?: unknown;
}

/** One call the server answered. */
export interface Call {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly status: number;
}

export interface ServerOptions {
  readonly plays?: readonly FakePlay[];
  readonly saved?: readonly FakeSaved[];
  /** `C` answers as new apps get it: without the fields of February 2026, and with `account_id`. @default 'A' */
  readonly generation?: 'A' | 'C';
  /** What a request may ask for; `undefined` for a bad token. @default everything, by {@link TOKEN} */
  readonly scopesOf?: (request: Request) => readonly string[] | undefined;
}

export const TOKEN = 'BQ-access-token-of-the-user';
export const USER = 'ana-of-old';
export const ACCOUNT = '7f5a9c0de1b24c1f8a6e0d9b3c7a2e41';
const API = 'https://api.spotify.com/v1';
const WINDOW_PLAYS = 50;
const NEEDED: Readonly<Record<string, string>> = {
  '/v1/me/tracks': 'user-library-read',
  '/v1/me/player/recently-played': 'user-read-recently-played',
};
const GONE_IN_C = ['available_markets', 'popularity', 'linked_from', 'external_ids', 'preview_url'];

/** A base-62 id out of a number. */
export function idOf(number: number): string {
  return String(number).padStart(22, '0');
}

/**
 * Spotify in memory. Recently played knows the last 50 plays and nothing else, newest first; `after` and `before` exclude
 * each other, and their own instant. Lists come by offset. Errors are objects within `error`.
 */
export class SpotifyServer {
  readonly calls: Call[] = [];
  /** Answers the next calls so. */
  readonly failures: Response[] = [];
  readonly plays: FakePlay[];
  readonly saved: FakeSaved[];
  /** The most it gives of a list, whatever is asked for. */
  mostPerPage = 50;
  readonly #isC: boolean;
  readonly #scopesOf: NonNullable<ServerOptions['scopesOf']>;

  constructor({ plays = [], saved = [], generation = 'A', scopesOf = scopesByToken }: ServerOptions = {}) {
    this.plays = [...plays];
    this.saved = [...saved];
    this.#isC = generation === 'C';
    this.#scopesOf = scopesOf;
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => this.answer(new Request(input, init));

  /** As {@link fetch}, for callers that sign nothing. */
  readonly fetchSigned: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    request.headers.set('authorization', `Bearer ${TOKEN}`);
    return this.answer(request);
  };

  async answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const reply = this.failures.shift() ?? this.#reply(url, request);
    this.calls.push({ path: url.pathname, query: Object.fromEntries(url.searchParams), status: reply.status });
    return reply;
  }

  #reply(url: URL, request: Request): Response {
    const scopes = this.#scopesOf(request);
    if (!scopes) return refusal(401, 'The access token expired');
    if (request.method !== 'GET') return refusal(405, 'Method not allowed');
    if (url.pathname === '/v1/me') return Response.json(this.#profile());
    const needed = NEEDED[url.pathname];
    if (needed === undefined) return refusal(404, 'Service not found');
    if (!scopes.includes(needed)) return refusal(403, 'Insufficient client scope');
    return url.pathname === '/v1/me/tracks'
      ? this.#savedTracks(url.searchParams)
      : this.#recentlyPlayed(url.searchParams);
  }

  #recentlyPlayed(query: URLSearchParams): Response {
    const limit = limitOf(query);
    const [after, before] = ['after', 'before'].map((name) => query.get(name));
    if (limit === undefined) return refusal(400, 'Invalid limit');
    if (typeof after === 'string' && typeof before === 'string')
      return refusal(400, 'Only one of after or before may be specified');
    if ([after, before].some((each) => typeof each === 'string' && !/^\d+$/.test(each)))
      return refusal(400, 'Invalid cursor');
    const page = this.plays
      .toSorted((a, b) => b.endedAt - a.endedAt)
      .slice(0, WINDOW_PLAYS)
      .filter(({ endedAt }) => endedAt > Number(after ?? -1) && endedAt < Number(before ?? Number.POSITIVE_INFINITY))
      .slice(0, limit);
    const [newest, oldest] = [page[0]?.endedAt, page.at(-1)?.endedAt];
    const href = `${API}/me/player/recently-played?limit=${limit}`;
    return Response.json({
      href,
      limit,
      next: oldest === undefined ? null : `${API}/me/player/recently-played?before=${oldest}&limit=${limit}`,
      cursors: oldest === undefined ? null : { after: String(newest), before: String(oldest) },
      items: page.map((each) => this.#play(each)),
    });
  }

  #savedTracks(query: URLSearchParams): Response {
    const asked = limitOf(query);
    const offset = Number(query.get('offset') ?? 0);
    if (asked === undefined) return refusal(400, 'Invalid limit');
    if (!Number.isInteger(offset) || offset < 0) return refusal(400, 'Invalid offset');
    const limit = Math.min(asked, this.mostPerPage);
    const all = this.saved.toSorted((a, b) => b.addedAt - a.addedAt);
    const linkTo = (from: number): string => `${API}/me/tracks?offset=${from}&limit=${limit}`;
    return Response.json({
      href: linkTo(offset),
      limit,
      next: offset + limit < all.length ? linkTo(offset + limit) : null,
      offset,
      previous: offset > 0 ? linkTo(Math.max(0, offset - limit)) : null,
      total: all.length,
      items: all.slice(offset, offset + limit).map((each) => this.#savedTrack(each)),
    });
  }

  #play({ endedAt, id, durationMs = 180_000, context, track = {}, raw }: FakePlay): unknown {
    if (raw !== undefined) return raw;
    const kind = context?.split(':')[1];
    const from = context === undefined ? null : { type: kind, uri: context, href: `${API}/${kind}s/x`, external_urls: {} };
    return { played_at: isoOf(endedAt), context: from, track: this.#track(id, { duration_ms: durationMs }, track) };
  }

  #savedTrack({ addedAt, id, track = {}, raw }: FakeSaved): unknown {
    if (raw !== undefined) return raw;
    return { added_at: isoOf(addedAt), track: this.#track(id, {}, track) };
  }

  #track(id: string, some: object, own: Readonly<Record<string, unknown>> | null): unknown {
    if (own === null) return null;
    const artists = [artistOf('4yvcSjfu4PC0CYQyLy4wSq', 'Quiet Harbour'), artistOf('0000000000000000000001', 'A Guest')];
    const track = {
      id,
      uri: `spotify:track:${id}`,
      href: `${API}/tracks/${id}`,
      type: 'track',
      name: `Song ${Number(id)}`,
      duration_ms: 180_000,
      explicit: false,
      is_local: false,
      disc_number: 1,
      track_number: 14,
      popularity: 61,
      available_markets: ['PT', 'US'],
      preview_url: null,
      external_ids: { isrc: `GBUM7${String(Number(id) || 0).padStart(7, '0')}` },
      external_urls: { spotify: `https://open.spotify.com/track/${id}` },
      artists,
      album: {
        id: '0KTj6k94XZh0c6IEMfxeWV',
        name: 'Golden Glass',
        type: 'album',
        uri: 'spotify:album:0KTj6k94XZh0c6IEMfxeWV',
        href: `${API}/albums/0KTj6k94XZh0c6IEMfxeWV`,
        album_type: 'album',
        total_tracks: 18,
        ...(!this.#isC && { available_markets: ['PT', 'US'] }),
        release_date: '2020-08-06',
        release_date_precision: 'day',
        images: [{ url: 'https://i.scdn.co/image/x', width: 640, height: 640 }],
        external_urls: { spotify: 'https://open.spotify.com/album/0KTj6k94XZh0c6IEMfxeWV' },
        artists: artists.slice(0, 1),
      },
      ...some,
    };
    const given = this.#isC ? Object.entries(track).filter(([name]) => !GONE_IN_C.includes(name)) : Object.entries(track);
    return { ...Object.fromEntries(given), ...own };
  }

  #profile(): unknown {
    const everybody = {
      id: USER,
      display_name: 'Ana',
      type: 'user',
      uri: `spotify:user:${USER}`,
      href: `${API}/users/${USER}`,
      external_urls: { spotify: `https://open.spotify.com/user/${USER}` },
      images: [],
    };
    if (this.#isC) return { ...everybody, account_id: ACCOUNT };
    const explicit = { filter_enabled: false, filter_locked: false };
    return {
      ...everybody,
      country: 'PT',
      email: 'ana@example.com',
      product: 'premium',
      followers: { href: null, total: 3 },
      explicit_content: explicit,
    };
  }
}

/** An error as the API tells it. */
export function refusal(status: number, message: string, headers: Record<string, string> = {}, reason?: string): Response {
  return Response.json({ error: { status, message, ...(reason && { reason }) } }, { status, headers });
}

function scopesByToken(request: Request): readonly string[] | undefined {
  return request.headers.get('authorization') === `Bearer ${TOKEN}` ? Object.values(NEEDED) : undefined;
}

function limitOf(query: URLSearchParams): number | undefined {
  const limit = Number(query.get('limit') ?? 20);
  return Number.isInteger(limit) && limit >= 1 && limit <= 50 ? limit : undefined;
}

function isoOf(time: number): string {
  return new Date(time).toISOString();
}

function artistOf(id: string, name: string): object {
  return {
    id,
    name,
    type: 'artist',
    uri: `spotify:artist:${id}`,
    href: `${API}/artists/${id}`,
    external_urls: { spotify: `https://open.spotify.com/artist/${id}` },
  };
}
