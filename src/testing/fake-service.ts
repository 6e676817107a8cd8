import type { Fetch } from '../contracts/env.ts';

/** One play at a {@link FakeService}. Times are epoch milliseconds. */
export interface FakePlay {
  readonly id: string;
  readonly playedAt: number;
  readonly title: string;
  readonly artist?: string | undefined;
  /** The service tells of it only from this instant on: plays that arrive late. @default `playedAt` */
  readonly visibleFrom?: number | undefined;
  /** Sent in a shape that nobody expects. */
  readonly poison?: boolean | undefined;
}

/** How a {@link FakeService} behaves. */
export interface FakeServiceOptions {
  /** The service's own clock, epoch milliseconds. */
  readonly now: () => number;
  /** Whose request it is, or `undefined` for one it refuses with 401. @default everybody is `ada` */
  readonly authorise?: ((request: Request) => Promise<string | undefined> | string | undefined) | undefined;
  /** Most plays in one answer. @default 200 */
  readonly maxLimit?: number | undefined;
  /** How long a page token is understood, in milliseconds. @default 1 hour */
  readonly pageTokenLifetimeMs?: number | undefined;
  /** Tells of the newest so many plays only, in one page, like Spotify. @default everything */
  readonly window?: number | undefined;
}

/** A request that a {@link FakeService} answered. */
export interface FakeServiceCall {
  readonly at: number;
  readonly path: string;
  readonly account: string | undefined;
  readonly status: number;
  /** Ids of the plays it sent. */
  readonly sent: readonly string[];
}

/** An answer given in place of the real one; `drop` breaks the connection instead. */
export type FakeFailure = Response | 'drop' | (() => Response);

interface PageToken {
  readonly after: number;
  readonly afterId: string;
  readonly until: number;
  readonly issuedAt: number;
  /** Plays of the whole walk. */
  readonly total: number;
}

/**
 * A media service in memory, with accounts, pages, page tokens that run out, plays that arrive late, and a ledger of
 * every call. Its API is that of {@link fakeProvider}:
 *
 * - `GET /v1/me` → `{ id, name }`
 * - `GET /v1/plays?since&until&limit&page` → `{ plays: [{ id, played_at, title, artist }], next, total }`, oldest first;
 *   `since` and `until` in epoch milliseconds, both excluded; with a window: newest first and `next` always `null`
 *
 * @example
 * ```ts
 * const service = new FakeService({ now: () => clock.now() });
 * service.add('ada', { id: 'song-1', playedAt: clock.now(), title: 'Jóga', artist: 'Björk' });
 * const registry = createRegistry({ providers: [fakeProvider({ baseUrl: 'https://service.test/v1' })], env: { fetch: service.fetch }, ...memory() });
 * ```
 */
export class FakeService {
  readonly #options: FakeServiceOptions;
  readonly #plays = new Map<string, FakePlay[]>();
  readonly #failures: FakeFailure[] = [];
  /** Every call, oldest first. */
  readonly ledger: FakeServiceCall[] = [];
  /** Looks at every request before it is answered; a failure it gives is the answer. For outages and storms. */
  intercept: ((request: Request) => FakeFailure | undefined) | undefined;

  constructor(options: FakeServiceOptions) {
    this.#options = options;
  }

  /** Adds plays to an account. */
  add(account: string, ...plays: readonly FakePlay[]): void {
    this.#plays.set(account, [...(this.#plays.get(account) ?? []), ...plays].sort(inOrder));
  }

  /** The user takes plays of these ids out of an account. */
  remove(account: string, ...ids: readonly string[]): void {
    this.#plays.set(
      account,
      this.plays(account).filter(({ id }) => !ids.includes(id)),
    );
  }

  /** Everything an account has played, oldest first. */
  plays(account: string): readonly FakePlay[] {
    return this.#plays.get(account) ?? [];
  }

  /** Answers the next calls so, one each. */
  failNext(...failures: readonly FakeFailure[]): void {
    this.#failures.push(...failures);
  }

  /** The service as a `fetch`. */
  readonly fetch: Fetch = async (input, init) => this.handle(new Request(input, init));

  /** Answers one request. */
  async handle(request: Request): Promise<Response> {
    const { now, authorise = () => 'ada' } = this.#options;
    const url = new URL(request.url);
    const note = (status: number, account: string | undefined, sent: readonly string[] = []): void => {
      this.ledger.push({ at: now(), path: url.pathname, account, status, sent });
    };
    request.signal.throwIfAborted();
    const failure = this.intercept?.(request) ?? this.#failures.shift();
    if (failure === 'drop') {
      note(0, undefined);
      throw new TypeError('fetch failed', {
        cause: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
      });
    }
    if (failure) {
      const answer = typeof failure === 'function' ? failure() : failure;
      note(answer.status, undefined);
      return answer;
    }
    const account = await authorise(request);
    const reply = account === undefined ? refusal(401, 'token_expired') : this.#answer(url, account);
    note(reply.status, account, reply.sent);
    return Response.json(reply.body, { status: reply.status, headers: { date: new Date(now()).toUTCString() } });
  }

  #answer(url: URL, account: string): Reply {
    if (url.pathname.endsWith('/me')) return { status: 200, body: { id: account, name: account }, sent: [] };
    if (url.pathname.endsWith('/plays')) return this.#page(url.searchParams, account);
    return refusal(404, 'not_found');
  }

  #page(query: URLSearchParams, account: string): Reply {
    const { now, maxLimit = 200, pageTokenLifetimeMs = 3_600_000, window } = this.#options;
    const limit = Math.min(Number(query.get('limit') ?? 50), maxLimit);
    const token = readToken(query.get('page'));
    if (token === 'invalid') return refusal(400, 'page_token_invalid');
    if (token && now() - token.issuedAt > pageTokenLifetimeMs) return refusal(400, 'page_token_expired');
    const start = token ?? {
      after: Number(query.get('since') ?? Number.NEGATIVE_INFINITY),
      afterId: '\uffff',
      until: Number(query.get('until') ?? Number.POSITIVE_INFINITY),
    };
    const visible = this.plays(account).filter(({ visibleFrom, playedAt }) => (visibleFrom ?? playedAt) <= now());
    const told = window === undefined ? visible : visible.slice(-window);
    const matching = told.filter(
      (play) => isAfter(play, start) && play.playedAt < (start.until ?? Number.POSITIVE_INFINITY),
    );
    const total = token?.total ?? matching.length;
    const page = window === undefined ? matching.slice(0, limit) : matching.slice(-limit).reverse();
    const last = page.at(-1);
    const hasMore = window === undefined && matching.length > page.length && last !== undefined;
    const next = hasMore
      ? writeToken({
          after: last.playedAt,
          afterId: last.id,
          until: start.until ?? Number.POSITIVE_INFINITY,
          issuedAt: now(),
          total,
        })
      : null;
    const plays = page.map((play) => (play.poison ? { id: play.id, played_at: 'yesterday' } : wireForm(play)));
    return { status: 200, body: { plays, next, total }, sent: page.map(({ id }) => id) };
  }
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly sent: readonly string[];
}

function refusal(status: number, error: string): Reply {
  return { status, body: { error }, sent: [] };
}

function wireForm({ id, playedAt, title, artist }: FakePlay): object {
  return { id, played_at: playedAt, title, artist: artist ?? null };
}

function inOrder(a: FakePlay, b: FakePlay): number {
  return a.playedAt - b.playedAt || (a.id < b.id ? -1 : Number(a.id > b.id));
}

function isAfter(play: FakePlay, { after, afterId }: Pick<PageToken, 'after' | 'afterId'>): boolean {
  return play.playedAt > after || (play.playedAt === after && play.id > afterId);
}

function writeToken({ after, afterId, until, issuedAt, total }: PageToken): string {
  const times = [after, until, issuedAt, total].map(String);
  return btoa(JSON.stringify([...times, encodeURIComponent(afterId)]));
}

function readToken(text: string | null): PageToken | 'invalid' | undefined {
  if (text === null) return undefined;
  try {
    const [after, until, issuedAt, total, afterId] = JSON.parse(atob(text)) as string[];
    return {
      after: Number(after),
      until: Number(until),
      issuedAt: Number(issuedAt),
      total: Number(total),
      afterId: decodeURIComponent(afterId ?? ''),
    };
  } catch {
    // Whatever it is, this service did not write it.
    return 'invalid';
  }
}
