/** A play as the service keeps it. */
export interface FakePlay {
  /** Unix seconds. */
  readonly at: number;
  readonly artist: string;
  readonly track: string;
  readonly seconds?: number;
  readonly length?: number;
  /** Sent in place of a well-formed play. */
  readonly raw?: unknown;
}

export const TOKEN = 'token-of-nobody';
export const ACCOUNT = 'account-1';

/**
 * My service in memory, as its documentation has it: oldest first, `after` and `before` in unix seconds and exclusive, at
 * most 100 a page, page tokens that hold the bounds.
 */
export class FakeServer {
  readonly #plays: readonly FakePlay[];

  constructor(plays: readonly FakePlay[] = []) {
    this.#plays = plays.toSorted((a, b) => a.at - b.at);
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const { url, headers } = new Request(input, init);
    const { pathname, searchParams } = new URL(url);
    if (headers.get('authorization') !== `Bearer ${TOKEN}`) return refusal(401, 'token_invalid');
    if (pathname === '/v1/me') return Response.json({ id: ACCOUNT, name: 'Ana' });
    return pathname === '/v1/plays' ? this.#page(searchParams) : refusal(404, 'unknown_path');
  };

  #page(query: URLSearchParams): Response {
    const limit = Math.min(Number(query.get('limit') ?? 20), 100);
    const page = query.get('page') ?? `0:${query.get('after') ?? 0}:${query.get('before') ?? 1e12}`;
    if (!/^\d+:\d+:\d+$/.test(page)) return refusal(400, 'page_unknown');
    const [from = 0, after = 0, before = 0] = page.split(':').map(Number);
    const matching = this.#plays.filter(({ at }) => at > after && at < before);
    const end = from + limit;
    return Response.json({
      plays: matching.slice(from, end).map(wireForm),
      next: matching.length > end ? `${end}:${after}:${before}` : null,
    });
  }
}

export function refusal(status: number, error: string, headers: Record<string, string> = {}): Response {
  return Response.json({ error }, { status, headers });
}

function wireForm({ at, artist, track, seconds = 200, length = 240, raw }: FakePlay): unknown {
  return raw ?? { started_at: new Date(at * 1_000).toISOString(), artist, track, seconds, length };
}
