import type { ProviderContext } from '@mca/core/provider-kit';
import { endlessList } from './errors.ts';
import type { Entry } from './normalise.ts';
import type { LastPlayedPosition } from './position.ts';
import { albumList, albumWithSongs, song, timeOf } from './schemas.ts';
import { call } from './subsonic.ts';

const ALBUMS_PER_PAGE = 20;
/** More than one is needed only while more than a page of albums comes on top during a look. */
const LOOKS_MAX = 3;
/** So many albums nobody has. */
const MOST_ALBUMS = 200_000;
/** A look reads so many albums below what came on top, where only songs tell times; the way down reads a page of them. */
const ALBUMS_TO_END_A_LOOK = 5;

interface Album {
  readonly id: string;
  /** Its last play, epoch milliseconds; unknown where the list does not tell, or cannot be read. */
  readonly at: number | undefined;
  readonly tellsTime: boolean;
}

/**
 * Songs of a page of the albums that were played last.
 *
 * An album that is played while the walk is under way jumps to the top, past the walk. So when the list is through, what
 * came on top since it was begun is looked at again, with all its songs. A list of one page needs no look: it was read
 * in one moment.
 */
export async function lastPlayed(
  context: ProviderContext,
  { offset, look, top, bound, known }: LastPlayedPosition,
  since: number | undefined,
): Promise<{
  readonly entries: readonly Entry[];
  readonly next: LastPlayedPosition | undefined;
  readonly tellsTimes: boolean;
}> {
  const least = look === 0 || bound === undefined ? since : bound + 1;
  const albums = await albumsAt(context, offset);
  await refuseEndless(context, { offset, top }, albums);
  const wanted = albums.filter(({ at }) => at === undefined || least === undefined || at >= least);
  const entries: Entry[] = [];
  /** Last play of each album, as the list tells it or else its songs. */
  const lastPlays: (number | undefined)[] = [];
  let tellsTimes = albums.some(({ tellsTime }) => tellsTime);
  for (const { id, at } of wanted) {
    const { album } = (await call(context, 'getAlbum', albumWithSongs, { id }))['subsonic-response'];
    const songs = album?.song ?? [];
    const lastPlay = at ?? newestOf(songs);
    lastPlays.push(lastPlay);
    tellsTimes ||= songs.some((raw) => typeof raw === 'object' && raw !== null && 'played' in raw);
    // What a look meets again was given on the way down.
    if (look > 0 && lastPlay !== undefined && least !== undefined && lastPlay < least) continue;
    for (const raw of songs) {
      entries.push({ of: 'last-played', account: context.account.id, raw, since: look === 0 ? (since ?? null) : null });
    }
  }
  // The list is in order of the last play: below one that is too old there is none. Where only songs tell times, it takes
  // more than one: an album stays where it is when the song that was heard is deleted.
  const lowest = lastPlays.slice(look === 0 ? 0 : -ALBUMS_TO_END_A_LOOK);
  const isThrough =
    albums.length < ALBUMS_PER_PAGE ||
    wanted.length < albums.length ||
    !tellsTimes ||
    (least !== undefined && lowest.every((time) => time === undefined || time < least));
  const begun = top ?? newestNow(albums, lastPlays, context.now());
  if (!isThrough)
    return { entries, next: { offset: offset + albums.length, look, top: begun, bound, known }, tellsTimes };
  const isDone = offset === 0 || look === LOOKS_MAX;
  return {
    entries,
    next: isDone ? undefined : { offset: 0, look: look + 1, top: undefined, bound: begun, known },
    tellsTimes,
  };
}

/**
 * A server that does not look at `offset` gives the top of its list for ever. What is further down was played earlier,
 * unless it was played just now: then the top itself is looked at.
 *
 * @throws McaError `upstream` `endless_list`
 */
async function refuseEndless(
  context: ProviderContext,
  { offset, top = 0 }: Pick<LastPlayedPosition, 'offset' | 'top'>,
  albums: readonly Album[],
): Promise<void> {
  const [first] = albums;
  if (offset === 0 || !first || albums.length < ALBUMS_PER_PAGE) return;
  const isPlain = offset < MOST_ALBUMS && first.at !== undefined && first.at < top;
  if (isPlain) return;
  const highest = await albumsAt(context, 0);
  if (offset < MOST_ALBUMS && albums.some(({ id }, index) => id !== highest[index]?.id)) return;
  throw endlessList('albums');
}

async function albumsAt(context: ProviderContext, offset: number): Promise<readonly Album[]> {
  const query = { type: 'recent', size: ALBUMS_PER_PAGE, offset };
  const answer = await call(context, 'getAlbumList2', albumList, query);
  const albums = answer['subsonic-response'].albumList2?.album ?? [];
  return albums.map(({ id, played }) => ({ id, at: timeOf(played), tellsTime: played !== undefined }));
}

function newestOf(songs: readonly unknown[]): number | undefined {
  const times = songs.flatMap((raw) => timeOf(song.safeParse(raw).data?.played) ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}

/**
 * The newest play when the list was asked for. Plays of the future are no measure: what really happens stays below them.
 * Songs are read later than the list, so they count only where the list tells nothing; the first are the newest.
 */
function newestNow(albums: readonly Album[], lastPlays: readonly (number | undefined)[], now: number): number {
  const listed = albums.flatMap(({ at }) => at ?? []).filter((at) => at <= now);
  const ofSongs = lastPlays.find((time) => time !== undefined && time <= now);
  return Math.max(0, listed.length > 0 ? Math.max(...listed) : (ofSongs ?? now));
}
