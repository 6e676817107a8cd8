import { z } from 'zod';

/** One scrobble. */
export interface Scrobble {
  readonly name: string;
  readonly mbid?: string | undefined;
  readonly url?: string | undefined;
  readonly artist: string;
  readonly album?: string | undefined;
  /** Start of the play, seconds. What plays now has none. */
  readonly date?: { readonly uts: number } | null | undefined;
  readonly '@attr'?: { readonly nowplaying?: string | boolean | null | undefined } | null | undefined;
}

/** A page of scrobbles, newest first, with what is playing now on top of every page. */
export interface RecentTracks {
  readonly recenttracks: {
    readonly '@attr': { readonly user: string; readonly totalPages: number; readonly total: number };
    readonly track: readonly unknown[];
  };
}

/** What a token is traded for. */
export interface Session {
  readonly session: { readonly name: string; readonly key: string };
}

/** Numbers come as texts, mostly. */
const number = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]);
/** One hit comes without its list. */
const list = z.union([z.array(z.unknown()), z.record(z.string(), z.unknown()).transform((only) => [only])]);
/** What is not known comes as an empty text. */
const text = z
  .string()
  .nullish()
  .transform((value) => value || undefined);

export const session: z.ZodType<Session> = z.object({
  session: z.object({ name: z.string().min(1), key: z.string().min(1) }),
});

export const userInfo: z.ZodType<{ readonly user: { readonly name: string } }> = z.object({
  user: z.object({ name: z.string().min(1) }),
});

export const recentTracks: z.ZodType<RecentTracks> = z.object({
  recenttracks: z.object({
    '@attr': z.object({ user: z.string(), totalPages: number, total: number }),
    track: list.nullish().transform((tracks) => tracks ?? []),
  }),
});

/** In the plain form, or in the extended one, where the artist has a `name`. */
export const scrobble: z.ZodType<Scrobble> = z.object({
  name: z.string().min(1),
  mbid: text,
  url: text,
  artist: z
    .object({ '#text': text, name: text })
    .transform((artist) => artist['#text'] ?? artist.name)
    .pipe(z.string()),
  album: z
    .object({ '#text': text })
    .nullish()
    .transform((album) => album?.['#text']),
  date: z.object({ uts: number }).nullish(),
  '@attr': z.object({ nowplaying: z.union([z.string(), z.boolean()]).nullish() }).nullish(),
});

/** The moment of a record that may be bad otherwise. */
export const stamp: z.ZodType<{ readonly date: { readonly uts: number } }> = z.object({
  date: z.object({ uts: number }),
});
