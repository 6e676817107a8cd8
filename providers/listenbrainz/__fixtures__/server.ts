/** A listen as the server keeps it. */
export interface FakeListen {
  readonly at: number;
  readonly msid: string;
  readonly artist?: string;
  readonly track?: string;
  readonly release?: string;
  readonly info?: unknown;
  readonly mapping?: unknown;
  /** Sent in place of a well-formed listen. */
  readonly raw?: unknown;
}

/** One call the server answered. */
export interface Call {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly status: number;
}

export const TOKEN = '6ff6ba4c-0000-4000-8000-00000000cafe';
export const USER = 'alice';

/**
 * ListenBrainz in memory, as its server's source has it: answers are newest first always; with `min_ts` the oldest
 * `count` after it are picked, otherwise the newest before `max_ts`; both bounds are exclusive; `count` is cut at 1,000.
 */
export class ListenBrainzServer {
  readonly calls: Call[] = [];
  /** Answers the next calls so. */
  readonly failures: Response[] = [];
  mostPerPage = 1_000;
  readonly #listens: readonly FakeListen[];

  constructor(listens: readonly FakeListen[] = []) {
    this.#listens = listens.toSorted((a, b) => a.at - b.at);
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => this.answer(new Request(input, init));

  async answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const reply = this.failures.shift() ?? this.#reply(url, request);
    this.calls.push({ path: url.pathname, query: Object.fromEntries(url.searchParams), status: reply.status });
    return reply;
  }

  #reply(url: URL, request: Request): Response {
    const authorization = request.headers.get('authorization');
    if (url.pathname === '/1/validate-token') {
      if (!authorization) return refusal(400, 'You need to provide an Authorization header.');
      return authorization === `Token ${TOKEN}`
        ? json({ code: 200, message: 'Token valid.', valid: true, user_name: USER })
        : json({ code: 200, message: 'Token invalid.', valid: false });
    }
    const [, user] = /^\/1\/user\/([^/]+)\/listens$/.exec(url.pathname) ?? [];
    if (user === undefined) return refusal(404, 'Not found');
    if (authorization && authorization !== `Token ${TOKEN}`) return refusal(401, 'Invalid authorization token.');
    if (decodeURIComponent(user).toLowerCase() !== USER) return refusal(404, `Cannot find user: ${user}`);
    return this.#page(url.searchParams, user);
  }

  #page(query: URLSearchParams, user: string): Response {
    const bound = (name: string): number | undefined => {
      const text = query.get(name);
      return text === null ? undefined : Number(text);
    };
    const [min, max, asked = 25] = ['min_ts', 'max_ts', 'count'].map(bound);
    if ([min, max, asked].some((each) => each !== undefined && (!Number.isInteger(each) || each < 0)))
      return refusal(400, "'count' should be a non-negative integer");
    const matching = this.#listens.filter(({ at }) => at > (min ?? -1) && at < (max ?? Number.POSITIVE_INFINITY));
    const count = Math.min(asked, this.mostPerPage);
    const picked = min === undefined ? matching.slice(-count) : matching.slice(0, count);
    const listens = picked.toReversed().map(wireForm);
    return json({
      payload: {
        count: listens.length,
        user_id: user,
        latest_listen_ts: this.#listens.at(-1)?.at ?? 0,
        oldest_listen_ts: this.#listens[0]?.at ?? 0,
        listens,
      },
    });
  }
}

export function refusal(status: number, error: string, headers: Record<string, string> = {}): Response {
  return Response.json({ code: status, error }, { status, headers });
}

function json(body: unknown): Response {
  const headers = { 'X-RateLimit-Limit': '30', 'X-RateLimit-Remaining': '29', 'X-RateLimit-Reset-In': '9' };
  return Response.json(body, { headers });
}

/** A listen as the API has it, and the export. */
export function wireForm({ at, msid, artist = 'Björk', track = `Song ${msid}`, release, info, mapping, raw }: FakeListen): unknown {
  if (raw !== undefined) return raw;
  return {
    inserted_at: at + 5,
    listened_at: at,
    recording_msid: msid,
    user_name: USER,
    track_metadata: {
      artist_name: artist,
      track_name: track,
      ...(release === undefined ? {} : { release_name: release }),
      ...(info === undefined ? {} : { additional_info: info }),
      ...(mapping === undefined ? {} : { mbid_mapping: mapping }),
    },
  };
}
