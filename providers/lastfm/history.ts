import {
  cursorInvalid,
  type FetchedPage,
  type HistoryCapability,
  incremental,
  McaError,
  type PageRequest,
  type ProviderContext,
} from '@mca/core/provider-kit';
import { normalise } from './normalise.ts';
import { recentTracks, scrobble, stamp } from './schemas.ts';

const MOST_PER_PAGE = 200;
const DAY_MS = 86_400_000;
/** Answers for somebody else, and totals that change, were seen; asking again gave the right ones. */
const TRIES = 3;

/**
 * Scrobbles, oldest first. The service pages newest first, so a walk fixes its end, reads how many pages there are, and
 * goes from the last to the first. Scrobbles that were added or deleted meanwhile shift the pages: the total tells, and
 * the walk is planned anew from where it is.
 */
export const history: HistoryCapability = incremental({
  sources: { scrobbles: { name: 'Scrobbles', precision: 'second', rank: 1 } },
  order: 'oldest-first',
  backfill: true,
  // Programs that were offline may scrobble for up to two weeks later.
  deepOverlapMs: 14 * DAY_MS,
  intervalMs: 15 * 60_000,
  entry: scrobble,
  fetch,
  normalise,
});

/** Where a walk is: the bounds it was planned with, the page that comes next, and what the plan was made on. */
interface Plan {
  readonly from: number;
  readonly to: number;
  readonly perPage: number;
  readonly page: number;
  readonly total: number;
  /** Everything up to this second has been given: a new plan begins here. */
  readonly given: number;
}

interface Answer {
  readonly records: readonly unknown[];
  readonly totalPages: number;
  readonly total: number;
}

async function fetch(context: ProviderContext, request: PageRequest): Promise<FetchedPage> {
  if (request.cursor !== undefined) return goOn(context, readPlan(request.cursor));
  const { since, until = context.now() } = request;
  const from = since === undefined ? 0 : Math.max(0, Math.floor(since / 1_000) - 1);
  const perPage = Math.min(request.limit, MOST_PER_PAGE);
  return begin(context, { from, to: Math.ceil(until / 1_000), perPage });
}

/** Page 1 says how many there are. When it is the only one, it is also the answer. */
async function begin(
  context: ProviderContext,
  bounds: Pick<Plan, 'from' | 'to' | 'perPage'>,
  plans = 1,
): Promise<FetchedPage> {
  const first = await ask(context, { ...bounds, page: 1 });
  if (first.totalPages <= 1) return { records: first.records.toReversed(), hasMore: false, total: first.total };
  return goOn(context, { ...bounds, page: first.totalPages, total: first.total, given: bounds.from }, plans);
}

async function goOn(context: ProviderContext, plan: Plan, plans = 0): Promise<FetchedPage> {
  const { records, total } = await ask(context, plan);
  if (total !== plan.total) {
    if (plans === TRIES) throw unsteady();
    return begin(context, { ...plan, from: Math.max(plan.from, plan.given - 1) }, plans + 1);
  }
  const oldestFirst = records.toReversed();
  if (plan.page === 1) return { records: oldestFirst, hasMore: false, total };
  const given = Math.max(plan.given, ...oldestFirst.map(secondsOf));
  return { records: oldestFirst, hasMore: true, total, cursor: writePlan({ ...plan, page: plan.page - 1, given }) };
}

async function ask(
  { http, account }: ProviderContext,
  { from, to, perPage, page }: Omit<Plan, 'total' | 'given'>,
): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    const { recenttracks: answer } = await http.request({
      path: '',
      operation: 'user.getRecentTracks',
      query: {
        method: 'user.getRecentTracks',
        user: account.id,
        limit: perPage,
        page,
        ...(from > 0 && { from }),
        to,
      },
      schema: recentTracks,
    });
    const { user, totalPages, total } = answer['@attr'];
    if (user.toLowerCase() === account.id.toLowerCase()) return { records: answer.track, totalPages, total };
    if (attempt === TRIES) {
      throw new McaError({
        code: 'upstream',
        reason: 'wrong_user',
        provider: 'lastfm',
        message: 'Last.fm answered with the history of somebody else.',
      });
    }
  }
}

function writePlan({ from, to, perPage, page, total, given }: Plan): string {
  return [from, to, perPage, page, total, given].join(':');
}

function readPlan(cursor: string): Plan {
  if (!/^\d+(:\d+){5}$/.test(cursor)) throw cursorInvalid('lastfm');
  const [from = 0, to = 0, perPage = 0, page = 0, total = 0, given = 0] = cursor.split(':').map(Number);
  return { from, to, perPage, page, total, given };
}

/** What plays now has no date; bad records are rejected later, one by one. */
function secondsOf(record: unknown): number {
  const { data } = stamp.safeParse(record);
  return typeof data?.date.uts === 'number' ? data.date.uts : 0;
}

/** The number of scrobbles is another one every time it is asked. */
function unsteady(): McaError {
  return new McaError({
    code: 'upstream',
    reason: 'unsteady_pages',
    provider: 'lastfm',
    message: 'Last.fm gave another number of scrobbles each time it was asked.',
  });
}
