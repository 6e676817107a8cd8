/** A request the service met. */
export interface ServerCall {
  /** Path below the version. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly authorization: string | null;
  readonly accept: string | null;
  readonly status: number;
}

export const KEY = '0123456789abcdef0123456789abcdef';
export const READ_TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJub2JvZHkifQ.c2lnbmVk';

/** The instant at which the tests play. */
export const NOW: number = Date.UTC(2026, 10, 1, 12);

const named = (...names: readonly string[]) => names.map((name, index) => ({ id: index + 1, name }));

/** Films, shows and episodes by path, as TMDB describes them. */
const described: Readonly<Record<string, object>> = {
  'movie/296': {
    id: 296,
    title: 'Example Movie',
    original_title: 'Beispielfilm',
    release_date: '2003-07-02',
    runtime: 109,
    imdb_id: 'tt0181852',
    status: 'Released',
    genres: named('Action', 'Thriller'),
    keywords: { id: 296, keywords: named('Robot', 'action', '') },
    external_ids: { id: 296, imdb_id: 'tt0181852', wikidata_id: 'Q1', facebook_id: null },
  },
  'tv/8592': {
    id: 8592,
    name: 'Example Show',
    original_name: 'Beispielserie',
    first_air_date: '2009-04-09',
    episode_run_time: [22, 30],
    number_of_seasons: 7,
    genres: named('Comedy'),
    keywords: { id: 8592, results: named('Small Town', 'Comedy') },
    external_ids: { id: 8592, imdb_id: 'tt1266020', tvdb_id: 84912, wikidata_id: null },
  },
  'tv/8592/season/1/episode/1': {
    id: 1,
    name: 'Pilot',
    season_number: 1,
    episode_number: 1,
    air_date: '2009-04-10',
    runtime: 24,
    external_ids: { id: 1, imdb_id: 'tt1370967', tvdb_id: 421821 },
  },
  // Hardly anything is known of these.
  'movie/7': { id: 7, title: '', original_title: null, release_date: '', runtime: 0, imdb_id: '', genres: [] },
  'tv/7': { id: 7, name: null, first_air_date: '', episode_run_time: [], genres: null },
  'tv/7/season/0/episode/2': { id: 70, name: '', air_date: null, runtime: null },
};

/** What ids of other catalogues name. */
const known: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  imdb_id: {
    tt0181852: ['movie/296'],
    tt1266020: ['tv/8592'],
    tt1370967: ['tv/8592/season/1/episode/1'],
    tt0000404: ['movie/404'],
  },
  tvdb_id: {
    84912: ['tv/8592'],
    // Shows, films and episodes are numbered apart there.
    421821: ['tv/8592/season/1/episode/1'],
    12: ['movie/7', 'tv/8592', 'tv/7/season/0/episode/2'],
  },
};

/** TMDB in memory: keys in either form, `append_to_response`, empty lists for ids nobody knows. */
export class TmdbServer {
  readonly calls: ServerCall[] = [];
  /** Answers the next calls so; `undefined` is the right answer. */
  readonly failures: (Response | undefined)[] = [];
  /** Called before each answer, for looking at what is under way. */
  beforeAnswer: () => Promise<void> = async () => {};

  readonly fetch: typeof globalThis.fetch = async (input, init) => this.answer(new Request(input, init));

  async answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    await this.beforeAnswer();
    const path = url.pathname.replace(/^\/3\//, '');
    const answer = this.failures.shift() ?? this.#answer(request, path, url.searchParams);
    this.calls.push({
      path,
      query: Object.fromEntries(url.searchParams),
      authorization: request.headers.get('authorization'),
      accept: request.headers.get('accept'),
      status: answer.status,
    });
    return answer;
  }

  #answer({ method, headers }: Request, path: string, query: URLSearchParams): Response {
    const isSigned = query.get('api_key') === KEY || headers.get('authorization') === `Bearer ${READ_TOKEN}`;
    if (!isSigned) return refusal(401, 7, 'Invalid API key: You must be granted a valid key.');
    if (method !== 'GET') return refusal(405, 42);
    if (path === 'authentication')
      return Response.json({ success: true, status_code: 1, status_message: 'Success.' });
    if (path.startsWith('find/')) return find(path.slice('find/'.length), query.get('external_source') ?? '');
    const whole = described[path];
    if (!whole) return refusal(404, 34, 'The resource you requested could not be found.');
    const appended = (query.get('append_to_response') ?? '').split(',');
    const { keywords, external_ids: ids, ...rest } = whole as Record<string, unknown>;
    return Response.json({
      ...rest,
      ...(appended.includes('keywords') && keywords !== undefined && { keywords }),
      ...(appended.includes('external_ids') && ids !== undefined && { external_ids: ids }),
    });
  }
}

function find(id: string, source: string): Response {
  const paths = known[source]?.[id] ?? [];
  const of = (form: RegExp) =>
    paths.flatMap((path) => {
      const match = form.exec(path);
      return match ? [match.slice(1).map(Number)] : [];
    });
  return Response.json({
    movie_results: of(/^movie\/(\d+)$/).map(([id]) => ({ id, media_type: 'movie', title: 'Example Movie' })),
    person_results: [],
    tv_results: of(/^tv\/(\d+)$/).map(([id]) => ({ id, media_type: 'tv', name: 'Example Show' })),
    tv_episode_results: of(/^tv\/(\d+)\/season\/(\d+)\/episode\/(\d+)$/).map(([show, season, episode]) => ({
      id: 1,
      media_type: 'tv_episode',
      name: 'Pilot',
      show_id: show,
      season_number: season,
      episode_number: episode,
      still_path: null,
    })),
    tv_season_results: [],
  });
}

/** An error answer. */
export function refusal(status: number, code: number, message = 'It says no.', headers: HeadersInit = {}): Response {
  return Response.json({ success: false, status_code: code, status_message: message }, { status, headers });
}

/** What stands in front of the service when it is away. */
export function page(status: number): Response {
  const headers = { 'content-type': 'text/html' };
  return new Response('<html><title>Gateway time-out</title></html>', { status, headers });
}
