import { cursorInvalid, type FetchedPage, type PageRequest, type ProviderContext } from '@mca/core/provider-kit';
import { z } from 'zod';
import { ask, type Question } from './request.ts';
import { type Activities, activities, type Changes, type Kind, type Lists, lists } from './schemas.ts';

/** The lists that are asked for one after the other, as Simkl's guide has it. */
const TYPES = ['shows', 'movies', 'anime'] as const;
type Type = (typeof TYPES)[number];

const KINDS: Readonly<Record<Type, Kind>> = { shows: 'show', movies: 'movie', anime: 'anime' };

/** Simkl's own stamps of when what last changed, which are compared and handed back, never reckoned with. */
interface Stamps extends Readonly<Partial<Record<Type, string | null | undefined>>> {
  readonly all?: string | null | undefined;
}

/** Where a walk is; with nothing left, where the next one begins. */
interface Place {
  /** As they were before the first list was asked for: what changes meanwhile belongs to the next walk. */
  readonly to: Stamps;
  /** Where the walk before began. */
  readonly from?: string | undefined;
  readonly left: readonly Type[];
}

const stamp = z.string().nullish();
const place: z.ZodType<Place> = z.strictObject({
  to: z.strictObject({ all: stamp, shows: stamp, anime: stamp, movies: stamp }),
  from: z.string().optional(),
  left: z.array(z.enum(TYPES)),
});

/** What tells history and ratings apart. */
export interface WalkOptions extends Pick<Question<Lists>, 'operation' | 'wasPost'> {
  readonly path: (type: Type) => string;
  readonly query?: Question<Lists>['query'];
  /** The stamp that moves when a list of this capability does. */
  readonly stampOf: (changes: Changes) => string | null | undefined;
  /** Records of one list. */
  readonly recordsOf: (kind: Kind, entries: readonly unknown[]) => readonly unknown[];
}

/**
 * A page is all of one type. Before the first one Simkl is asked what changed at all, and lists are asked for what
 * changed since then: whoever does it otherwise is shut out.
 */
export async function nextPage(
  context: ProviderContext,
  { cursor, highWater }: PageRequest,
  options: WalkOptions,
): Promise<FetchedPage> {
  const before = cursor === undefined ? undefined : placeOf(cursor);
  const hasWorked = before !== undefined || highWater !== undefined;
  const here = before && before.left.length > 0 ? before : await begin(context, before?.to, hasWorked, options);
  const { to, from } = here;
  const [type, ...left] = here.left;
  const entries = type === undefined ? [] : await listOf(context, type, from, options);
  return {
    records: type === undefined ? [] : options.recordsOf(KINDS[type], entries),
    hasMore: left.length > 0,
    cursor: JSON.stringify({ to, ...(left.length > 0 && { from }), left } satisfies Place),
  };
}

async function begin(
  context: ProviderContext,
  before: Stamps | undefined,
  hasWorked: boolean,
  { stampOf }: WalkOptions,
): Promise<Place> {
  const answer = await ask(context, {
    path: 'sync/activities',
    operation: 'activities',
    schema: activities,
    wasPost: true,
    hasWorked,
  });
  const to = stampsOf(answer, stampOf);
  return { to, from: before?.all ?? undefined, left: TYPES.filter((type) => isDue(type, to, before)) };
}

function stampsOf({ all, tv_shows: shows, anime, movies }: Activities, stampOf: WalkOptions['stampOf']): Stamps {
  const of = (changes: Changes | null | undefined) => changes && stampOf(changes);
  return { all, shows: of(shows), anime: of(anime), movies: of(movies) };
}

/** Of a type without a stamp nobody knows whether it changed; one that never had anything has none to give. */
function isDue(type: Type, now: Stamps, before: Stamps | undefined): boolean {
  if (before === undefined) return now[type] !== null;
  if (now.all !== undefined && now.all === before.all) return false;
  return now[type] === undefined || now[type] !== before[type];
}

async function listOf(
  context: ProviderContext,
  type: Type,
  from: string | undefined,
  { path, operation, query, wasPost }: WalkOptions,
): Promise<readonly unknown[]> {
  const asked = { path: path(type), operation, query: { ...query, date_from: from }, wasPost, hasWorked: true };
  const answer = await ask(context, { ...asked, schema: lists });
  return answer?.[type] ?? [];
}

function placeOf(cursor: string): Place {
  try {
    return place.parse(JSON.parse(cursor));
  } catch {
    throw cursorInvalid('simkl');
  }
}
