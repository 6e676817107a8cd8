import { cursorInvalid, type FetchedPage, type PageRequest, type ProviderContext } from '@mca/core/provider-kit';
import { z } from 'zod';
import { presentOf } from './present.ts';
import { ask, type Question } from './request.ts';
import { type Activities, activities, type Changes, type Kind, type Lists, lists } from './schemas.ts';

/** The lists that are asked for one after the other, as Simkl's guide has it. */
const TYPES = ['shows', 'movies', 'anime'] as const;
type Type = (typeof TYPES)[number];

const KINDS: Readonly<Record<Type, Kind>> = { shows: 'show', movies: 'movie', anime: 'anime' };

/** Lists of ids, which are asked for when something was taken from a list. */
const REMOVALS = ['removed:shows', 'removed:movies', 'removed:anime'] as const;
type Removal = (typeof REMOVALS)[number];

type TypeStamps = Readonly<Partial<Record<Type, string | null | undefined>>>;

/** Simkl's own stamps of when what last changed, which are compared and handed back, never reckoned with. */
interface Stamps extends TypeStamps {
  readonly all?: string | null | undefined;
  /** When something was last taken from a list. */
  readonly removed?: TypeStamps | undefined;
}

/** Where a walk is; with nothing left, where the next one begins. */
interface Place {
  /** As they were before the first list was asked for: what changes meanwhile belongs to the next walk. */
  readonly to: Stamps;
  /** Where the walk before began. */
  readonly from?: string | undefined;
  readonly left: readonly (Type | Removal)[];
}

const stamp = z.string().nullish();
const ofTypes = { shows: stamp, anime: stamp, movies: stamp };
const place: z.ZodType<Place> = z.strictObject({
  to: z.strictObject({ all: stamp, ...ofTypes, removed: z.strictObject(ofTypes).optional() }),
  from: z.string().optional(),
  left: z.array(z.enum([...TYPES, ...REMOVALS])),
});

/** What tells history and ratings apart. */
export interface WalkOptions extends Pick<Question<Lists>, 'operation' | 'wasPost'> {
  /** What its items come from. */
  readonly source: string;
  readonly path: (type: Type) => string;
  readonly query?: Question<Lists>['query'];
  /** The stamp that moves when a list of this capability does. */
  readonly stampOf: (changes: Changes) => string | null | undefined;
  /** Records of one list. */
  readonly recordsOf: (kind: Kind, entries: readonly unknown[]) => readonly unknown[];
}

/**
 * A page is all of one type. Before the first one Simkl is asked what changed at all, and lists are asked for what
 * changed since then: whoever does it otherwise is shut out. Whole lists, and after them lists of ids where something was
 * taken away, say what is still there.
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
  const [step, ...left] = here.left;
  return {
    ...(step === undefined ? { records: [] } : await pageOf(context, step, from, options)),
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
  const from = before?.all ?? undefined;
  const due = TYPES.filter((type) => isDue(type, to, before));
  const shrunk = TYPES.filter((type) => to.removed?.[type] && to.removed[type] !== before?.removed?.[type]);
  // Without a position all lists are asked for whole, and tell by themselves.
  const removals = before ? shrunk.map((type): Removal => `removed:${type}`) : [];
  return { to, from, left: [...due, ...removals] };
}

function stampsOf({ all, tv_shows: shows, anime, movies }: Activities, stampOf: WalkOptions['stampOf']): Stamps {
  const byType = (of: WalkOptions['stampOf']): TypeStamps => ({
    shows: shows && of(shows),
    anime: anime && of(anime),
    movies: movies && of(movies),
  });
  return { all, ...byType(stampOf), removed: byType(({ removed_from_list: removed }) => removed) };
}

/** Of a type without a stamp nobody knows whether it changed; one that never had anything has none to give. */
function isDue(type: Type, now: Stamps, before: Stamps | undefined): boolean {
  if (before === undefined) return now[type] !== null;
  if (now.all !== undefined && now.all === before.all) return false;
  return now[type] === undefined || now[type] !== before[type];
}

async function pageOf(
  context: ProviderContext,
  step: Type | Removal,
  from: string | undefined,
  options: WalkOptions,
): Promise<Pick<FetchedPage, 'records' | 'present'>> {
  if (isRemoval(step)) return presentPage(context, step.slice('removed:'.length) as Type, options);
  const { source, path, operation, query, wasPost, recordsOf } = options;
  const asked = { path: path(step), operation, query: { ...query, date_from: from }, wasPost };
  const entries = await listOf(context, step, asked);
  // What only tells changes leaves out what did not change.
  const present = from === undefined ? presentOf(source, KINDS[step], entries) : undefined;
  return { records: recordsOf(KINDS[step], entries ?? []), ...(present && { present: [present] }) };
}

/** What the lists of a type still hold. An entry that cannot be read is a bad record: then nothing is said. */
async function presentPage(
  context: ProviderContext,
  type: Type,
  { source }: WalkOptions,
): Promise<Pick<FetchedPage, 'records' | 'present'>> {
  const kind = KINDS[type];
  const query = { extended: 'simkl_ids_only' };
  const entries = await listOf(context, type, { path: `sync/all-items/${type}`, operation: 'all-items-ids', query });
  const present = presentOf(source, kind, entries);
  if (present) return { records: [], present: [present] };
  const unreadable = (entries ?? [undefined]).find((each) => presentOf(source, kind, [each]) === undefined);
  return { records: [{ kind, entry: unreadable }] };
}

function isRemoval(step: Type | Removal): step is Removal {
  return step.startsWith('removed:');
}

/** Entries of one list; `undefined` for an answer that does not tell of it. */
async function listOf(
  context: ProviderContext,
  type: Type,
  asked: Omit<Question<Lists>, 'schema' | 'hasWorked'>,
): Promise<readonly unknown[] | undefined> {
  const answer = await ask(context, { ...asked, hasWorked: true, schema: lists });
  return answer ? (answer[type] === null ? [] : answer[type]) : [];
}

function placeOf(cursor: string): Place {
  try {
    return place.parse(JSON.parse(cursor));
  } catch {
    throw cursorInvalid('simkl');
  }
}
