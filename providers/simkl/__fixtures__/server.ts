import { createHash } from 'node:crypto';

/** A film, show or anime on the user's lists. Times are epoch milliseconds. */
export interface FakeThing {
  readonly type: 'shows' | 'anime' | 'movies';
  readonly id: number;
  /** @default 'completed' */
  readonly status?: string;
  /** When it was put on a list, watched or rated last, by the service's clock. */
  changedAt: number;
  /** Of films. */
  watchedAt?: number | undefined;
  /** Of shows and anime; `at` is absent for what was marked without a date. */
  episodes?: readonly { readonly season: number; readonly number: number; readonly at?: number }[] | undefined;
  rating?: { readonly value: number; readonly at: number };
  /** Fields in place of the well-formed ones; `undefined` leaves one out. */
  readonly raw?: Readonly<Record<string, unknown>>;
}

/** A request the service met. */
export interface ServerCall {
  /** Method and path. */
  readonly line: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly status: number;
}

export const CLIENT = 'client-id-of-the-app';
export const TOKEN = 'access-token-of-nobody';
export const ACCOUNT = 51_234;
export const PIN = 'A1B2C';
export const REDIRECT = 'https://app.example/connect/simkl/callback';

/** The instant at which the tests play. */
export const NOW: number = Date.UTC(2026, 10, 1, 12);
const DAY = 86_400_000;

/** Films, shows and anime with one play or episode a day, the newest first. */
export function watched(count: number): FakeThing[] {
  return Array.from({ length: count }, (_, index): FakeThing => {
    const at = NOW - (index + 1) * DAY;
    const type = (['shows', 'movies', 'anime'] as const)[index % 3] ?? 'shows';
    const seen = type === 'movies' ? { watchedAt: at } : { episodes: [{ season: 1, number: index + 1, at }] };
    return { type, id: 1_000 + index, changedAt: at, ...seen };
  });
}

/** Names of what {@link watched} makes. */
export function idOf({ type, id, watchedAt, episodes = [] }: FakeThing): string {
  const [episode] = episodes;
  const kind = { shows: 'show', anime: 'anime', movies: 'movie' }[type];
  const seconds = (watchedAt ?? episode?.at ?? 0) / 1_000;
  return `${seconds}:${kind}:${id}${episode ? `:s${episode.season}e${episode.number}` : ''}`;
}

/** Ratings, a day apart, the newest first. */
export function rated(count: number): FakeThing[] {
  return watched(count).map((thing, index) => ({
    ...thing,
    rating: { value: (index % 10) + 1, at: thing.changedAt },
  }));
}

/** How the service behaves. */
export interface ServerOptions {
  /** @default only {@link TOKEN}, and what it issued */
  readonly tokens?: readonly string[];
  /** Understands reads that were documented as POST until 2026 as POST only. @default false */
  readonly isOld?: boolean;
  /** Leaves keys of types without anything out of `sync/activities`. @default false */
  readonly withoutStamps?: boolean;
}

/**
 * Simkl in memory: required parameters and headers, `null` for nothing, lists that are told by what changed after an
 * instant, tokens that last five years and are never refreshed, and PINs that answer with status 200 throughout.
 */
export class SimklServer {
  readonly calls: ServerCall[] = [];
  /** Answers the next calls so; `undefined` is the right answer. */
  readonly failures: (Response | undefined)[] = [];
  readonly things: FakeThing[];
  /** When something was taken from a list last. */
  readonly removedAt: Partial<Record<FakeThing['type'], number>> = {};
  pin: 'pending' | 'approved' = 'pending';
  readonly #options: ServerOptions;
  readonly #tokens: Set<string>;
  readonly #codes = new Map<string, string>();

  constructor(things: readonly FakeThing[] = [], options: ServerOptions = {}) {
    this.things = [...things];
    this.#options = options;
    this.#tokens = new Set(options.tokens ?? [TOKEN]);
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => this.answer(new Request(input, init));

  /** Requests to a path, as method and path. */
  callsTo(line: string): readonly ServerCall[] {
    return this.calls.filter((call) => call.line === line);
  }

  /** Takes a thing from its list, and its rating with it. */
  remove(thing: FakeThing, at: number): void {
    this.things.splice(this.things.indexOf(thing), 1);
    this.removedAt[thing.type] = at;
  }

  /** Takes all consents back. */
  forgetTokens(): void {
    this.#tokens.clear();
  }

  /** The user agrees on the page at `address`; the answer is what the browser comes back with. */
  agree(address: string): URLSearchParams {
    const { origin, pathname, searchParams: query } = new URL(address);
    if (origin + pathname !== 'https://simkl.com/oauth/authorize') throw new Error('there is no such page');
    if (query.get('client_id') !== CLIENT || query.get('redirect_uri') !== REDIRECT) throw new Error('unknown app');
    if (query.get('code_challenge_method') !== 'S256') throw new Error('only S256');
    this.#codes.set('code-1', query.get('code_challenge') ?? '');
    return new URLSearchParams({ code: 'code-1', state: query.get('state') ?? '' });
  }

  async answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const body = await request.text();
    const answer = this.failures.shift() ?? this.#answer(request, url, body);
    this.calls.push({
      line: `${request.method} ${url.pathname}`,
      query: Object.fromEntries(url.searchParams),
      headers: Object.fromEntries(request.headers),
      body,
      status: answer.status,
    });
    return answer;
  }

  #answer({ method, headers }: Request, { pathname: path, searchParams: query }: URL, body: string): Response {
    if (query.get('client_id') !== CLIENT) return refusal(412, 'client_id_failed');
    if (!query.get('app-name') || !query.get('app-version')) return refusal(400, 'empty_field');
    if (!/^[a-z][\w-]*\/\d/.test(headers.get('user-agent') ?? '')) return refusal(400, 'wrong_parameter');
    if (path === '/oauth/token') return this.#token(method, body);
    if (path.startsWith('/oauth/pin')) return this.#pin(method, path);
    if (!this.#tokens.has(/^Bearer (.+)$/.exec(headers.get('authorization') ?? '')?.[1] ?? ''))
      return refusal(401, 'user_token_failed');
    const list = /^\/sync\/(all-items|ratings)\/(shows|movies|anime)$/.exec(path);
    const wasPost = list?.[1] !== 'all-items';
    if (method !== (this.#options.isOld && wasPost ? 'POST' : 'GET')) return refusal(405, 'method');
    if (path === '/users/settings') return Response.json(settings);
    if (path === '/sync/activities') return Response.json(this.#activities());
    if (!list) return refusal(404, 'url_failed');
    return Response.json(this.#list(list[2] as FakeThing['type'], list[1] === 'ratings', query));
  }

  #activities(): object {
    const stamps = (type: FakeThing['type']) => {
      const things = this.things.filter((thing) => thing.type === type);
      const removed = [this.removedAt[type]];
      return {
        all: newest([...things.map(({ changedAt }) => changedAt), ...removed]),
        rated_at: newest(things.map(({ rating }) => rating?.at)),
        playback: null,
        removed_from_list: newest(removed),
      };
    };
    const [shows, anime, movies] = [stamps('shows'), stamps('anime'), stamps('movies')];
    const all = newest([...this.things.map(({ changedAt }) => changedAt), ...Object.values(this.removedAt)]);
    const types = { tv_shows: shows, anime, movies };
    const told = Object.entries(types).filter(([, { all }]) => all !== null || !this.#options.withoutStamps);
    return { all, settings: { all: '2026-01-01T00:00:00Z' }, ...Object.fromEntries(told) };
  }

  #list(type: FakeThing['type'], ofRatings: boolean, query: URLSearchParams): object | null {
    const from = Date.parse(query.get('date_from') ?? '') || Number.NEGATIVE_INFINITY;
    const isFull = query.get('extended') === 'full' && query.get('episode_watched_at') === 'yes';
    const found = this.things
      .filter((thing) => thing.type === type && thing.changedAt > from)
      .filter(({ rating }) => !ofRatings || rating)
      .map((thing) => (query.get('extended') === 'simkl_ids_only' ? wireId(thing) : wire(thing, isFull)));
    return found.length === 0 ? null : { [type]: found };
  }

  #token(method: string, body: string): Response {
    if (method !== 'POST') return refusal(405, 'method');
    const asked = JSON.parse(body) as Record<string, string>;
    const challenge = this.#codes.get(asked.code ?? '');
    if (asked.grant_type !== 'authorization_code' || challenge === undefined) return refusal(401, 'grant_error');
    this.#codes.delete(asked.code ?? '');
    const proof = createHash('sha256').update(asked.code_verifier ?? '').digest('base64url');
    if (challenge !== proof || asked.redirect_uri !== REDIRECT) return refusal(401, 'secret_error');
    this.#tokens.add('access-by-page');
    return Response.json({
      access_token: 'access-by-page',
      token_type: 'bearer',
      scope: 'public',
      expires_in: 157_680_000,
    });
  }

  #pin(method: string, path: string): Response {
    if (method !== 'GET') return refusal(405, 'method');
    if (path === '/oauth/pin') {
      const verification = { verification_url: 'https://simkl.com/pin', verification_uri: 'https://simkl.com/pin' };
      const code = { device_code: 'DEVICE_CODE', user_code: PIN };
      return Response.json({ result: 'OK', ...code, ...verification, expires_in: 900, interval: 5 });
    }
    if (path !== `/oauth/pin/${PIN}`) return Response.json({ result: 'KO', message: 'Unknown code' });
    if (this.pin === 'pending') return Response.json({ result: 'KO', message: 'Authorization pending' });
    this.#tokens.add('access-by-pin');
    return Response.json({ result: 'OK', access_token: 'access-by-pin' });
  }
}

/** An error answer. */
export function refusal(status: number, error: string): Response {
  return Response.json({ error, code: status, message: `It says ${error}.` }, { status });
}

/** What stands in front of the service when it is away. */
export function page(status: number): Response {
  const headers = { 'content-type': 'text/html' };
  return new Response('<!DOCTYPE html><html><title>Error</title></html>', { status, headers });
}

function newest(times: readonly (number | undefined)[]): string | null {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? null : isoOf(Math.max(...known));
}

/** As the service writes it: to the second. */
export function isoOf(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Where ids only are asked for. */
function wireId({ type, id, raw }: FakeThing): object {
  return { [type === 'movies' ? 'movie' : 'show']: { ids: { simkl: id } }, ...raw };
}

function wire(thing: FakeThing, isFull: boolean): object {
  const { type, id, status = 'completed', watchedAt, episodes, rating, raw } = thing;
  const seen = [watchedAt, ...(episodes ?? []).map(({ at }) => at)];
  const shared = {
    added_to_watchlist_at: '2025-01-20T20:09:04Z',
    last_watched_at: newest(seen),
    user_rated_at: rating ? isoOf(rating.at) : null,
    user_rating: rating?.value ?? null,
    status,
  };
  if (type === 'movies') {
    const ids = { simkl: id, slug: `film-${id}`, imdb: `tt${1_000_000 + id}`, tmdb: String(90_000 + id) };
    return { ...shared, movie: { title: `Film ${id}`, year: 2003, runtime: 109, ids }, ...raw };
  }
  const ids =
    type === 'shows'
      ? { simkl: id, slug: 'example-show', imdb: 'tt3579018', tmdb: '62417', tvdb: '295779' }
      : { simkl: id, mal: '11061', anidb: '8550' };
  const seasons = Map.groupBy(episodes ?? [], ({ season }) => season);
  return {
    ...shared,
    ...(type === 'anime' && { anime_type: 'tv' }),
    watched_episodes_count: episodes?.length ?? 0,
    show: { title: `Show ${id}`, year: 2017, runtime: 40, poster: '51/515237', ids },
    ...(isFull &&
      episodes && {
        seasons: [...seasons].map(([number, all]) => ({
          number,
          episodes: all.map(({ number, at }) => ({ number, watched_at: at === undefined ? null : isoOf(at) })),
        })),
      }),
    ...raw,
  };
}

const settings = {
  user: { name: 'Ana', joined_at: '2019-01-01T00:00:00Z', gender: '', avatar: 'https://images.example/a.png' },
  account: { id: ACCOUNT, timezone: 'Europe/Lisbon', type: 'free' },
};
