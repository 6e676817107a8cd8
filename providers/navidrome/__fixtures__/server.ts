import { tokenOf } from '../auth.ts';

/** One play at a server. */
export interface FakePlay {
  readonly id: number;
  /** Epoch seconds. */
  readonly at: number;
  readonly song: string;
}

/** A song of a server's library. */
export interface FakeSong {
  readonly id: string;
  readonly title: string;
  readonly album: string;
  readonly artist?: string;
  readonly isrc?: readonly string[];
  readonly mbid?: string;
  /** Sent in place of a well-formed song. */
  readonly raw?: unknown;
}

/** Which server it is. */
export interface ServerKind {
  /** `type` in its answers; plain Subsonic servers have none. */
  readonly type?: string;
  /** Navidrome after 0.63.2 has a list of scrobbles. */
  readonly hasScrobbles?: boolean;
  /** OpenSubsonic servers tell when a song was last played. */
  readonly hasPlayed?: boolean;
  /** Albums do not tell when they were last played, only songs do. */
  readonly isSilentOnAlbums?: boolean;
  /** `EnableScrobbleHistory` is off: the list is there, and empty. */
  readonly keepsNoScrobbles?: boolean;
  /** Looks at no `offset` or `_start`, and gives the top of its list for ever. */
  readonly ignoresOffset?: boolean;
  /** Takes the password itself only, and answers so to a token. */
  readonly tokenRefusal?: 10 | 40 | 41 | 42;
  /** Writes lists of one as the one, ids as numbers, as older servers do. */
  readonly isSloppy?: boolean;
}

export const NAVIDROME: ServerKind = { type: 'navidrome', hasScrobbles: true, hasPlayed: true };
export const OLD_NAVIDROME: ServerKind = { type: 'navidrome', hasPlayed: true };
export const GONIC: ServerKind = { type: 'gonic', hasPlayed: true, isSloppy: true };
export const AIRSONIC: ServerKind = { isSloppy: true, tokenRefusal: 41 };

export const ADDRESS = 'https://music.example.org/home';
export const USER = 'Ana';
export const PASSWORD = 'correct horse, Jóga';

/** A server of the Subsonic family in memory, as the sheet has them. */
export class SubsonicServer {
  readonly kind: ServerKind;
  readonly songs = new Map<string, FakeSong>();
  readonly plays: FakePlay[] = [];
  /** Entries of what plays now, by all users. */
  readonly playing: unknown[] = [];
  readonly calls: { readonly path: string; readonly query: URLSearchParams; readonly status: number }[] = [];
  /** Answers the next calls so. */
  readonly failures: Response[] = [];
  /** Looks at each call before it is answered, and may answer in place of the server. */
  intercept: (path: string, query: URLSearchParams) => Response | undefined = () => undefined;
  /** Log-ins to the own API so far; sessions of earlier ones are over when this is raised. */
  logIns = 0;

  constructor(kind: ServerKind, songs: readonly FakeSong[] = []) {
    this.kind = kind;
    for (const song of songs) this.songs.set(song.id, song);
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const reply = this.failures.shift() ?? (await this.#answer(url, request));
    this.calls.push({ path: url.pathname.replace('/home/', ''), query: url.searchParams, status: reply.status });
    return reply;
  };

  async #answer(url: URL, request: Request): Promise<Response> {
    const path = url.pathname.replace(/^\/home\//, '');
    const instead = this.intercept(path, url.searchParams);
    if (instead) return instead;
    if (path.startsWith('rest/')) return this.#rest(path.slice(5), url.searchParams);
    if (this.kind.type !== 'navidrome') return new Response('<html>Not found</html>', { status: 404 });
    if (path === 'auth/login') return this.#logIn((await request.json()) as Record<string, unknown>);
    if (request.headers.get('x-nd-authorization') !== `Bearer session-${this.logIns}`)
      return Response.json({ error: 'Not authenticated' }, { status: 401 });
    if (path === 'api/scrobble' && this.kind.hasScrobbles) return this.#scrobbles(url.searchParams);
    if (path === 'api/song') return this.#nativeSongs(url.searchParams);
    return new Response('404 page not found', { status: 404 });
  }

  #rest(method: string, query: URLSearchParams): Response {
    const refusal = this.#refusalOf(query);
    if (refusal !== undefined) return this.#failed(refusal);
    switch (method) {
      case 'ping':
        return this.#ok({});
      case 'getAlbumList2':
        return this.#albums(Number(query.get('size') ?? 10), this.kind.ignoresOffset ? 0 : Number(query.get('offset') ?? 0));
      case 'getAlbum':
        return this.#album(query.get('id') ?? '');
      case 'getNowPlaying':
        return this.#ok({ nowPlaying: this.#list('entry', this.playing) });
      default:
        return this.#failed(70);
    }
  }

  #refusalOf(query: URLSearchParams): number | undefined {
    if (!query.has('v') || !query.has('c') || query.get('f') !== 'json') return 10;
    if (query.get('u')?.toLowerCase() !== USER.toLowerCase()) return 40;
    const password = query.get('p');
    if (password !== null) {
      return password === `enc:${Buffer.from(PASSWORD).toString('hex')}` ? undefined : 40;
    }
    if (this.kind.tokenRefusal !== undefined) return this.kind.tokenRefusal;
    return query.get('t') === tokenOf(PASSWORD, query.get('s') ?? '') ? undefined : 40;
  }

  #albums(size: number, offset: number): Response {
    const albums = [...new Set([...this.songs.values()].map(({ album }) => album))]
      .map((id) => ({ id, last: Math.max(0, ...this.#playsOfAlbum(id)) }))
      .filter(({ last }) => last > 0)
      .sort((a, b) => b.last - a.last)
      .slice(offset, offset + size)
      .map(({ id, last }) => ({
        ...this.#albumFacts(id),
         ...(this.kind.hasPlayed && !this.kind.isSilentOnAlbums && { played: iso(last) }),
      }));
    return this.#ok({ albumList2: this.#list('album', albums) });
  }

  #album(id: string): Response {
    const songs = [...this.songs.values()].filter(({ album }) => album === id);
    if (songs.length === 0) return this.#failed(70);
    return this.#ok({ album: { ...this.#albumFacts(id), ...this.#list('song', songs.map((song) => this.#child(song))) } });
  }

  #albumFacts(id: string): Record<string, unknown> {
    const songCount = [...this.songs.values()].filter(({ album }) => album === id).length;
    return { id, name: id, songCount, duration: songCount * 215, created: '2024-01-02T03:04:05Z' };
  }

  #child(song: FakeSong): unknown {
    if (song.raw !== undefined) return song.raw;
    const { id, title, album, artist, isrc, mbid } = song;
    const last = this.plays.filter((play) => play.song === id).map(({ at }) => at);
    return {
      id: this.kind.isSloppy && /^\d+$/.test(id) ? Number(id) : id,
      isDir: false,
      title,
      album,
      ...(artist !== undefined && { artist }),
      duration: 215,
      ...(isrc && { isrc }),
      musicBrainzId: mbid ?? '',
      ...(this.kind.hasPlayed && last.length > 0 && { played: iso(Math.max(...last)), playCount: last.length }),
    };
  }

  #logIn({ username, password }: Record<string, unknown>): Response {
    if (String(username).toLowerCase() !== USER.toLowerCase() || password !== PASSWORD)
      return Response.json({ error: 'Invalid username or password' }, { status: 401 });
    this.logIns += 1;
    return Response.json({ id: '1', name: USER, username: USER, isAdmin: false, token: `session-${this.logIns}` });
  }

  #scrobbles(query: URLSearchParams): Response {
    const bound = (name: string): number | undefined => (query.has(name) ? Number(query.get(name)) : undefined);
    const [from = 0, to = Number.POSITIVE_INFINITY, start = 0, end = 10] = ['from', 'to', '_start', '_end'].map(bound);
    const rows = (this.kind.keepsNoScrobbles ? [] : this.plays)
      .filter(({ at }) => at >= from && at <= to)
      .sort((a, b) => (query.get('_sort') === 'id' ? 0 : b.at - a.at) || b.id - a.id)
      .slice(this.kind.ignoresOffset ? 0 : start, this.kind.ignoresOffset ? end - start : end)
      .map(({ id, at, song }) => ({ id, mediaFileId: song, submissionTime: at }));
    return Response.json(rows, { headers: { 'x-total-count': String(rows.length) } });
  }

  #nativeSongs(query: URLSearchParams): Response {
    const known = query.getAll('id').flatMap((id) => this.songs.get(id) ?? []);
    return Response.json(
      known.map(({ id, title, album, artist, isrc, mbid, raw }) => {
        if (raw !== undefined) return raw;
        return { id, title, album, artist, duration: 214.7, mbzRecordingID: mbid ?? '', tags: isrc ? { isrc } : null };
      }),
    );
  }

  #playsOfAlbum(album: string): number[] {
    return this.plays.filter(({ song }) => this.songs.get(song)?.album === album).map(({ at }) => at);
  }

  /** An empty list has no key; sloppy servers write a list of one as the one. */
  #list(key: string, values: readonly unknown[]): Record<string, unknown> {
    if (values.length === 0) return {};
    return { [key]: this.kind.isSloppy && values.length === 1 ? values[0] : values };
  }

  #ok(body: Record<string, unknown>): Response {
    return Response.json({ 'subsonic-response': { status: 'ok', ...this.#about(), ...body } });
  }

  #failed(code: number): Response {
    return refusal(code, 'no', this.#about());
  }

  #about(): Record<string, unknown> {
    const { type } = this.kind;
    return { version: '1.16.1', ...(type !== undefined && { type, serverVersion: '0.63.2', openSubsonic: true }) };
  }
}

/** An error as the Subsonic API answers it, with HTTP 200. */
export function refusal(code: number, message: string, about: Record<string, unknown> = {}): Response {
  return Response.json({ 'subsonic-response': { status: 'failed', ...about, error: { code, message } } });
}

function iso(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z');
}
