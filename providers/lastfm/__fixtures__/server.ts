import { createHash } from 'node:crypto';

/** A scrobble as the server keeps it. */
export interface FakeScrobble {
  readonly uts: number;
  readonly name: string;
  readonly artist?: string;
  readonly album?: string;
  readonly mbid?: string;
  /** Sent in place of a well-formed one. */
  readonly raw?: unknown;
}

export const APP = { apiKey: 'api-key-of-the-app', sharedSecret: 'shared-secret-of-the-app' };
export const USER = 'alice';
export const SESSION_KEY = 'd580d57f32848f5dcf574d1ce18d78b2';
export const TOKEN = 'approved-token';

/**
 * Last.fm in memory: pages newest first, `from` and `to` in seconds, numbers as texts, one hit without its list, what
 * plays now on top of every page and beyond the limit, errors with a number of their own. Signatures are worked out anew.
 */
export class LastfmServer {
  readonly calls: Readonly<Record<string, string>>[] = [];
  /** Answers the next calls so. */
  readonly failures: Response[] = [];
  nowPlaying: string | undefined;
  extended = false;
  isPrivate = false;
  readonly scrobbles: FakeScrobble[];

  constructor(scrobbles: readonly FakeScrobble[] = []) {
    this.scrobbles = [...scrobbles];
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => this.answer(new Request(input, init));

  async answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const parameters = request.method === 'POST' ? new URLSearchParams(await request.text()) : url.searchParams;
    const query = Object.fromEntries(parameters);
    this.calls.push(query);
    const failure = this.failures.shift();
    if (failure) return failure;
    if (query.format !== 'json') return new Response('<lfm status="failed"/>', { headers: { 'content-type': 'text/xml' } });
    if (query.api_key !== APP.apiKey) return refusal(10, 'Invalid API key', 403);
    if (query.sk !== undefined && query.sk !== SESSION_KEY) return refusal(9, 'Invalid session key', 403);
    if (query.method === 'auth.getSession') return session(query);
    if (query.method === 'user.getInfo') return this.#info(query);
    if (query.method === 'user.getRecentTracks') return this.#recent(query);
    return refusal(3, 'Invalid Method', 400);
  }

  #info({ user, sk }: Readonly<Record<string, string>>): Response {
    if (sk === undefined && user?.toLowerCase() !== USER) return refusal(6, 'User not found', 404);
    return Response.json({ user: { name: USER, realname: '', playcount: String(this.scrobbles.length) } });
  }

  #recent({ user, sk, limit = '50', page = '1', from, to }: Readonly<Record<string, string>>): Response {
    if (user?.toLowerCase() !== USER) return refusal(6, 'User not found', 404);
    if (this.isPrivate && sk === undefined) return refusal(17, 'Login: User required to be logged in', 403);
    const newestFirst = this.scrobbles
      .filter(({ uts }) => (from === undefined || uts > Number(from)) && (to === undefined || uts < Number(to)))
      .sort((a, b) => b.uts - a.uts);
    const perPage = Math.min(Number(limit), 200);
    const start = (Number(page) - 1) * perPage;
    const playing = this.nowPlaying === undefined ? [] : [nowPlaying(this.nowPlaying)];
    const tracks = [...playing, ...newestFirst.slice(start, start + perPage).map((each) => this.#wireForm(each))];
    const attr = {
      user: USER,
      totalPages: String(Math.ceil(newestFirst.length / perPage)),
      page,
      perPage: String(perPage),
      total: String(newestFirst.length),
    };
    return Response.json({ recenttracks: { '@attr': attr, track: tracks.length === 1 ? tracks[0] : tracks } });
  }

  #wireForm({ uts, name, artist = 'Björk', album = '', mbid = '', raw }: FakeScrobble): unknown {
    if (raw !== undefined) return raw;
    return {
      artist: this.extended ? { url: '', name: artist, mbid: '', image: [] } : { mbid: '', '#text': artist },
      album: { mbid: '', '#text': album },
      name,
      mbid,
      streamable: '0',
      ...(this.extended && { loved: '0' }),
      url: `https://www.last.fm/music/${encodeURIComponent(artist)}/_/${encodeURIComponent(name)}`,
      image: [],
      date: { uts: String(uts), '#text': 'somewhen' },
    };
  }
}

export function refusal(error: number, message: string, status = 200): Response {
  return Response.json({ error, message }, { status });
}

function nowPlaying(name: string): unknown {
  return {
    '@attr': { nowplaying: 'true' },
    artist: { mbid: '', '#text': 'Björk' },
    album: { mbid: '', '#text': '' },
    name,
    mbid: '',
    url: '',
    image: [],
  };
}

function session(query: Readonly<Record<string, string>>): Response {
  const { api_sig: signature, format: _format, ...signed } = query;
  const names = Object.keys(signed).sort();
  const text = names.map((name) => name + signed[name]).join('') + APP.sharedSecret;
  if (createHash('md5').update(text).digest('hex') !== signature) return refusal(13, 'Invalid method signature', 403);
  if (query.token === 'pending') return refusal(14, 'Unauthorized Token - This token has not been authorized', 403);
  if (query.token !== TOKEN) return refusal(15, 'This token has expired', 403);
  return Response.json({ session: { name: USER, key: SESSION_KEY, subscriber: 0 } });
}
