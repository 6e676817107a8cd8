/** A play as the server keeps it. Times are epoch milliseconds, and kept to the minute. */
export interface FakePlay {
  readonly id: number;
  readonly at: number;
  /** Trakt id of the film, or of the episode. */
  readonly of: number;
  /** @default 'episode' */
  readonly type?: 'movie' | 'episode';
  readonly action?: 'scrobble' | 'checkin' | 'watch';
  /** Fields in place of the well-formed ones; `undefined` leaves one out. */
  readonly raw?: Readonly<Record<string, unknown>>;
}

/** A rating as the server keeps it. */
export interface FakeRating {
  readonly at: number;
  readonly of: number;
  readonly rating: number;
  /** @default 'movie' */
  readonly type?: 'movie' | 'show' | 'season' | 'episode';
  readonly raw?: Readonly<Record<string, unknown>>;
}

/** How the server behaves. */
export interface ServerOptions {
  readonly plays?: readonly FakePlay[];
  readonly ratings?: readonly FakeRating[];
  /** What larger pages are cut to. @default 250 */
  readonly maxLimit?: number;
  /** Whether `start_at` and `end_at` belong to what they bound; the documentation does not say. @default true */
  readonly boundsBelong?: boolean;
  /** Whether a token is good. @default only {@link TOKEN} */
  readonly isGood?: (token: string) => boolean;
}

/** A request the server met. */
export interface ServerCall {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly status: number;
}

export const CLIENT = 'client-id-of-the-app';
export const AGENT = 'Testing/1.0.0';
export const TOKEN = 'access-token-of-nobody';
export const USER = { uuid: '6f0c1a52b7e34d0f9a8e5b2c7d1f3e4a', slug: 'ana-of-nowhere', username: 'Ana' };

/** The instant at which the tests play. */
export const NOW: number = Date.UTC(2026, 10, 1, 12);
const MINUTE = 60_000;
const DAY = 86_400_000;

/** Plays of different episodes, the newest first, ten minutes apart. */
export function plays(count: number, newest: number = NOW - DAY): FakePlay[] {
  const at = (index: number): number => newest - index * 10 * MINUTE;
  return Array.from({ length: count }, (_, index) => ({ id: 9_000 - index, at: at(index), of: index + 1 }));
}

/** Ratings of different films, the newest first, a day apart. */
export function rated(count: number): FakeRating[] {
  return Array.from({ length: count }, (_, index) => ({
    at: NOW - index * DAY,
    of: index + 1,
    rating: (index % 10) + 1,
  }));
}

/**
 * Trakt's API in memory: newest first, counted pages that are cut silently, bounds, minutes, required headers, errors with
 * empty bodies. What it keeps can be changed while it runs.
 */
export class TraktServer {
  readonly calls: ServerCall[] = [];
  /** Answers the next calls so; `undefined` is the right answer. */
  readonly failures: (Response | undefined)[] = [];
  readonly plays: FakePlay[];
  readonly ratings: FakeRating[];
  /** When anything but plays last changed, epoch milliseconds. */
  changedAt: number = NOW;
  /** Kinds of which it leaves the stamp of plays out, as older versions do, and those that have none yet. */
  readonly stampOf: Record<'movies' | 'episodes', 'told' | 'missing' | null> = { movies: 'told', episodes: 'told' };
  /** Answered in place of the plays, while the stamp has moved already. */
  stale: readonly FakePlay[] | undefined;
  #watchedAt = NOW;
  #told = '';
  readonly #options: ServerOptions;

  constructor(options: ServerOptions = {}) {
    this.#options = options;
    this.plays = [...(options.plays ?? [])];
    this.ratings = [...(options.ratings ?? [])];
    this.#told = JSON.stringify(this.plays);
  }

  /** Whatever is marked, or taken back, moves the stamp. */
  #watched(): number {
    const now = JSON.stringify(this.plays);
    if (now !== this.#told) this.#watchedAt += 1_000;
    this.#told = now;
    return this.#watchedAt;
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => this.answer(new Request(input, init));

  async answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const answer = this.failures.shift() ?? this.#answer(request, url);
    this.calls.push({
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: Object.fromEntries(request.headers),
      status: answer.status,
    });
    return answer;
  }

  #answer({ headers, method }: Request, { pathname, searchParams }: URL): Response {
    const { isGood = (token) => token === TOKEN } = this.#options;
    if (headers.get('trakt-api-key') !== CLIENT) return refusal(403);
    if (headers.get('trakt-api-version') !== '2') return refusal(412);
    if (headers.get('content-type') !== 'application/json') return refusal(412);
    if (!/^[\w-]+\/\d/.test(headers.get('user-agent') ?? '')) return blocked(403);
    if (!isGood(/^Bearer (.+)$/.exec(headers.get('authorization') ?? '')?.[1] ?? '')) return refusal(401);
    if (method !== 'GET') return refusal(405);
    if (pathname === '/users/settings') return Response.json(settings);
    if (pathname === '/sync/last_activities') {
      return Response.json(activitiesAt(this.changedAt, this.#watched(), this.stampOf));
    }
    if (pathname === '/sync/history') return this.#page(this.#history(searchParams), searchParams);
    if (pathname === '/sync/ratings') return this.#page(this.ratings.map(wireRating), searchParams);
    return refusal(404);
  }

  #history(query: URLSearchParams): readonly unknown[] {
    const { boundsBelong = true } = this.#options;
    const bound = (name: string, none: number): number => {
      const text = query.get(name);
      return text === null ? none : minuteOf(Date.parse(text));
    };
    const from = bound('start_at', Number.NEGATIVE_INFINITY);
    const to = bound('end_at', Number.POSITIVE_INFINITY);
    return (this.stale ?? this.plays)
      .map((play) => ({ ...play, at: minuteOf(play.at) }))
      .filter(({ at }) => (at > from && at < to) || (boundsBelong && (at === from || at === to)))
      .sort((a, b) => b.at - a.at || b.id - a.id)
      .map(wirePlay);
  }

  #page(all: readonly unknown[], query: URLSearchParams): Response {
    const { maxLimit = 250 } = this.#options;
    const limit = Math.min(Number(query.get('limit') ?? 10), maxLimit);
    const page = Number(query.get('page') ?? 1);
    const headers = {
      'x-pagination-page': String(page),
      'x-pagination-limit': String(limit),
      'x-pagination-page-count': String(Math.ceil(all.length / limit)),
      'x-pagination-item-count': String(all.length),
    };
    return Response.json(all.slice((page - 1) * limit, page * limit), { headers });
  }
}

/** An error answer, empty as most of them. */
export function refusal(status: number, headers: Record<string, string> = {}, body: BodyInit | null = null): Response {
  return new Response(body, { status, headers });
}

/** What the proxy in front of Trakt answers. */
export function blocked(status: number): Response {
  const headers = { 'content-type': 'text/html', server: 'cloudflare' };
  return refusal(status, headers, '<!DOCTYPE html><html><title>Attention Required!</title></html>');
}

export function minuteOf(at: number): number {
  return Math.floor(at / MINUTE) * MINUTE;
}

const show = {
  title: 'Example Show',
  year: 2009,
  ids: { trakt: 4, slug: 'example-show', tvdb: 84912, imdb: 'tt1266020', tmdb: 8592, plex: { guid: 'x', slug: 'x' } },
};

function wireMovie(of: number): object {
  const ids = { trakt: of, slug: `film-${of}`, imdb: `tt${1_000_000 + of}`, tmdb: 90_000 + of };
  return { title: `Film ${of}`, year: 2003, ids };
}

function wireEpisode(of: number): object {
  const ids = { trakt: of, tvdb: 700_000 + of, imdb: null, tmdb: 300_000 + of };
  return { season: 2, number: of, title: `Part ${of}`, ids };
}

function wirePlay({ id, at, of, type = 'episode', action = 'scrobble', raw }: FakePlay): object {
  const what = type === 'movie' ? { movie: wireMovie(of) } : { episode: wireEpisode(of), show };
  return { id, watched_at: new Date(at).toISOString(), action, type, ...what, ...raw };
}

function wireRating({ at, of, rating, type = 'movie', raw }: FakeRating): object {
  const what = {
    movie: { movie: wireMovie(of) },
    show: { show: { ...show, ids: { ...show.ids, trakt: of } } },
    season: { season: { number: 2, ids: { trakt: of, tvdb: 439_371, tmdb: null } }, show },
    episode: { episode: wireEpisode(of), show },
  }[type];
  return { rated_at: new Date(minuteOf(at)).toISOString(), rating, type, ...what, ...raw };
}

const settings = {
  user: {
    username: USER.username,
    private: false,
    name: null,
    vip: false,
    vip_ep: false,
    director: false,
    ids: { slug: USER.slug, uuid: USER.uuid },
    joined_at: '2019-09-25T17:49:25.000Z',
    location: null,
    images: { avatar: { full: 'https://images.example/placeholder.png' } },
    vip_og: false,
    vip_years: 0,
  },
  permissions: { commenting: true, liking: true, following: true },
  account: { timezone: 'Europe/Lisbon', date_format: 'dmy', time_24hr: true },
  limits: { list: { count: 5, item_count: 100 }, watchlist: { item_count: 250 }, favorites: { item_count: 50 } },
};

/** What Trakt keeps a stamp of, by kind. */
const ACTIVITIES: Readonly<Record<string, readonly string[]>> = {
  movies: ['watched_at', 'collected_at', 'rated_at', 'watchlisted_at', 'favorited_at', 'commented_at', 'paused_at', 'hidden_at'],
  episodes: ['watched_at', 'collected_at', 'rated_at', 'watchlisted_at', 'commented_at', 'paused_at'],
  shows: ['rated_at', 'watchlisted_at', 'favorited_at', 'commented_at', 'hidden_at', 'dropped_at'],
  seasons: ['rated_at', 'watchlisted_at', 'commented_at', 'hidden_at'],
  comments: ['liked_at', 'reacted_at', 'blocked_at'],
  lists: ['liked_at', 'reacted_at', 'updated_at', 'commented_at'],
  watchlist: ['updated_at'],
  favorites: ['updated_at'],
  collaborations: ['updated_at'],
  account: ['settings_at', 'followed_at', 'following_at', 'pending_at', 'requested_at'],
  saved_filters: ['updated_at'],
  notes: ['updated_at'],
};

/** All but plays changed at once. */
function activitiesAt(changedAt: number, watchedAt: number, stampOf: TraktServer['stampOf']): object {
  const [at, watched] = [changedAt, watchedAt].map((each) => new Date(each).toISOString());
  const kinds = Object.entries(ACTIVITIES).map(([kind, stamps]) => {
    const of: Record<string, string | null | undefined> = Object.fromEntries(stamps.map((stamp) => [stamp, at]));
    if (kind === 'movies' || kind === 'episodes') {
      const told = { told: watched, missing: undefined };
      of.watched_at = stampOf[kind] === null ? null : told[stampOf[kind]];
    }
    return [kind, of];
  });
  return { all: new Date(Math.max(changedAt, watchedAt)).toISOString(), ...Object.fromEntries(kinds) };
}
