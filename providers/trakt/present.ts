import { cursorInvalid, type FetchedPage, type ProviderContext, parseUtc } from '@mca/core/provider-kit';
import { pageOf } from './paging.ts';
import { activities, listed } from './schemas.ts';

/** So many ids a position holds. With more, nothing is said about what was removed. */
const MOST_IDS = 5_000;
const LETTERS: Readonly<Record<string, string>> = { movie: 'm', show: 's', season: 'n', episode: 'e' };
const TYPES: Readonly<Record<string, string>> = { m: 'movie', s: 'show', n: 'season', e: 'episode' };
const PLACE = /^([1-9]\d{0,5}):(-?\d{1,16}):((?:[msne]\d{1,16}(?:,(?!$)|$))*)$/;

/** What a walk through all ratings has met so far. */
export interface Met {
  /** When anything last changed in the account, as the walk began: epoch milliseconds by Trakt's clock. */
  readonly changedAt: number;
  /** A letter for the kind, and the id. */
  readonly ids: readonly string[];
}

/** What a walk begins with; `undefined` when Trakt does not say when something last changed. */
export async function meetNothing({ http }: ProviderContext): Promise<Met | undefined> {
  const { all } = await http.request({
    path: 'sync/last_activities',
    operation: 'last-activities',
    query: {},
    schema: activities,
  });
  const changedAt = all ? parseUtc(all) : undefined;
  return changedAt === undefined ? undefined : { changedAt, ids: [] };
}

/** With one more page. `undefined` where a record has no id: what it stands for would pass for removed. */
export function meet(met: Met | undefined, records: readonly unknown[]): Met | undefined {
  if (!met) return undefined;
  const ids = records.map(idOf);
  if (!ids.every((id) => id !== undefined) || met.ids.length + ids.length > MOST_IDS) return undefined;
  return { ...met, ids: [...met.ids, ...ids] };
}

/**
 * What Trakt has, from a walk that is through. When a rating is taken away, those behind it move to the page before, and
 * one may slip past the walk: so nothing is said when anything changed in the meantime.
 */
export async function presentOf(
  context: ProviderContext,
  source: string,
  met: Met | undefined,
): Promise<Pick<FetchedPage, 'present'>> {
  if (!met || (await meetNothing(context))?.changedAt !== met.changedAt) return {};
  return { present: [{ source, contentIds: met.ids.map((id) => `${TYPES[id.charAt(0)]}:${id.slice(1)}`) }] };
}

/** The position before a page. */
export function writePlace(page: number, met: Met | undefined): string {
  return met ? `${page}:${met.changedAt}:${met.ids.join()}` : String(page);
}

/** @throws McaError `invalid_data` `cursor_invalid` */
export function readPlace(cursor: string): { readonly page: number; readonly met: Met | undefined } {
  if (!cursor.includes(':')) return { page: pageOf(cursor), met: undefined };
  const [, page, changedAt, ids = ''] = PLACE.exec(cursor) ?? [];
  if (page === undefined) throw cursorInvalid('trakt');
  return { page: pageOf(page), met: { changedAt: Number(changedAt), ids: ids === '' ? [] : ids.split(',') } };
}

function idOf(record: unknown): string | undefined {
  const { data } = listed.safeParse(record);
  const letter = data && LETTERS[data.type];
  const id = data?.[data.type as 'movie' | 'show' | 'season' | 'episode']?.ids?.trakt ?? '';
  return letter !== undefined && /^[1-9]\d{0,15}$/.test(id) ? letter + id : undefined;
}
