import { parseUtc } from '@mca/core/provider-kit';
import { z } from 'zod';

/** A song, as far as it is asked about. Older servers leave out most, and write ids as numbers. */
export interface Song {
  readonly id: string;
  readonly title: string;
  readonly artist?: string | undefined;
  readonly album?: string | undefined;
  /** Seconds. */
  readonly duration?: number | undefined;
  /** When it was last played, ISO 8601. */
  readonly played?: string | undefined;
  readonly playCount?: number | undefined;
  readonly musicBrainzId?: string | undefined;
  readonly isrc: readonly string[];
}

/** What plays on somebody's player. */
export interface NowPlaying {
  readonly username: string;
  readonly minutesAgo: number;
}

/** Any answer of the Subsonic API. */
export interface Envelope {
  readonly 'subsonic-response': { readonly status: string; readonly type?: string | undefined };
}

/** Albums, last played first. */
export interface AlbumList {
  readonly 'subsonic-response': {
    readonly albumList2?:
      | { readonly album: readonly { readonly id: string; readonly played?: string | undefined }[] }
      | undefined;
  };
}

/** One album with its songs, not looked at yet. */
export interface AlbumWithSongs {
  readonly 'subsonic-response': { readonly album?: { readonly song: readonly unknown[] } | undefined };
}

/** What plays on all players of the server, not looked at yet. */
export interface NowPlayingList {
  readonly 'subsonic-response': { readonly nowPlaying?: { readonly entry: readonly unknown[] } | undefined };
}

/** A row of Navidrome's own list of scrobbles. */
export interface Scrobble {
  readonly id: string;
  readonly mediaFileId: string;
  /** Seconds. */
  readonly submissionTime: number;
}

/** A row of Navidrome's own list of songs. */
export interface NativeSong {
  readonly id: string;
  readonly title: string;
  readonly artist?: string | undefined;
  readonly album?: string | undefined;
  /** Seconds, with a fraction. */
  readonly duration?: number | undefined;
  readonly mbzRecordingID?: string | undefined;
  readonly tags?: { readonly isrc?: readonly string[] | undefined } | undefined;
}

const id = z.union([z.string().min(1), z.int().transform(String)]);
const text = z
  .string()
  .nullish()
  .transform((value) => value || undefined);
/** Servers in Go write "never" as the year 1. */
const time = text.transform((value) => (value?.startsWith('0001-') ? undefined : value));
const amount = z
  .number()
  .nonnegative()
  .max(1e9)
  .nullish()
  .catch(undefined)
  .transform((value) => value ?? undefined);

/** Servers leave the key of an empty list out, and write a list of one as the one. */
const listOf = <Item extends z.ZodType>(item: Item) =>
  z.preprocess(
    (value) => (value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]),
    z.array(item),
  );

export const song: z.ZodType<Song> = z.object({
  id,
  title: z.string().min(1),
  artist: text,
  album: text,
  duration: amount,
  played: time,
  playCount: amount,
  musicBrainzId: text,
  isrc: listOf(z.string()).catch([]),
});

export const nowPlaying: z.ZodType<NowPlaying> = z.object({
  username: z.string(),
  minutesAgo: z
    .number()
    .nonnegative()
    .catch(0)
    .refine((minutes) => minutes < 1e7),
});

const answer = <Shape extends z.ZodRawShape>(shape: Shape) => z.object({ 'subsonic-response': z.object(shape) });

export const envelope: z.ZodType<Envelope> = answer({ status: z.string(), type: z.string().optional() });

export const albumList: z.ZodType<AlbumList> = answer({
  albumList2: z.object({ album: listOf(z.object({ id, played: time })) }).optional(),
});

export const albumWithSongs: z.ZodType<AlbumWithSongs> = answer({
  album: z.object({ song: listOf(z.unknown()) }).optional(),
});

export const nowPlayingList: z.ZodType<NowPlayingList> = answer({
  nowPlaying: z.object({ entry: listOf(z.unknown()) }).optional(),
});

/** A log-in to Navidrome's own API. */
export const session: z.ZodType<{ readonly token: string }> = z.object({ token: z.string().min(1) });

export const records: z.ZodType<readonly unknown[]> = z.array(z.unknown());

/** Rows of songs that were asked for by id: without ids they are no answer. */
export const nativeSongs: z.ZodType<readonly { readonly id: string }[]> = z.array(z.looseObject({ id }));

/** The end of the year 9999: later there is no date that everything can write. */
const LAST_SECOND = 253_402_300_799;

export const scrobble: z.ZodType<Scrobble> = z.object({
  id,
  mediaFileId: id,
  submissionTime: z.int().positive().max(LAST_SECOND),
});

/** The number of a row that may be bad otherwise. */
export const rowId: z.ZodType<{ readonly id: number }> = z.object({
  id: z
    .union([
      z.int(),
      z
        .string()
        .regex(/^\d{1,15}$/)
        .transform(Number),
    ])
    .pipe(z.int().nonnegative().max(999_999_999_999_999)),
});

export const nativeSong: z.ZodType<NativeSong> = z.object({
  id,
  title: z.string().min(1),
  artist: text,
  album: text,
  duration: amount,
  mbzRecordingID: text,
  tags: z
    .object({ isrc: listOf(z.string()) })
    .nullish()
    .catch(undefined)
    .transform((value) => value ?? undefined),
});

const WITH_OFFSET = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?[+-]\d\d:\d\d$/;

/** Epoch milliseconds of what a server writes as the time of a play, in UTC or with an offset. */
export function timeOf(played: string | undefined): number | undefined {
  if (played === undefined) return undefined;
  const time = WITH_OFFSET.test(played) ? Date.parse(played) : parseUtc(played);
  return Number.isNaN(time) ? undefined : time;
}
