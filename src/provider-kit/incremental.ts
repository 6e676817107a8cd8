import type { ProviderContext } from '../contracts/capabilities/context.ts';
import type {
  IncrementalCapability,
  ItemPage,
  PageRequest,
  PoisonRecord,
  PresentContent,
} from '../contracts/capabilities/history.ts';
import type { MediaItem } from '../contracts/media-item.ts';
import type { StandardSchema } from '../contracts/standard-schema.ts';
import type { RecordResult } from './record-result.ts';

/** One answer of the service, its records not looked at yet. */
export interface FetchedPage {
  readonly records: readonly unknown[];
  /** Position after this page; needed only when there is more. */
  readonly cursor?: string | undefined;
  readonly hasMore: boolean;
  /** Records the service says there are in this walk. */
  readonly total?: number | undefined;
  /** Stretch that the service no longer tells of, epoch milliseconds. */
  readonly gap?: { readonly from: number; readonly to: number } | undefined;
  /** What the service still has, where it says so: see `HIST-14`. */
  readonly present?: readonly PresentContent[] | undefined;
}

/** What an author writes down about something the service hands out page by page. */
export interface IncrementalDefinition<Entry> extends Omit<IncrementalCapability, 'fetchPage' | 'replay'> {
  /** Asks the service for one page. */
  readonly fetch: (context: ProviderContext, request: PageRequest) => Promise<FetchedPage>;
  /** Checks one record. Forgiving: the service may add fields, and leave out what is not needed. */
  readonly entry: StandardSchema<Entry, unknown>;
  /** Makes an item of a checked record, or says why not with `skip` or `reject`. */
  readonly normalise: (entry: Entry) => RecordResult;
}

/**
 * Makes a capability that is paged out of one request and one record's meaning. Counting, checking record by record and
 * replaying of parked records come with it.
 *
 * @example
 * ```ts
 * const history = incremental({
 *   sources: { plays: { name: 'Plays', precision: 'second', rank: 1 } },
 *   order: 'oldest-first',
 *   backfill: true,
 *   entry: playSchema,
 *   async fetch({ http }, { cursor, since, until, limit }) {
 *     const query = { since, until, limit, token: cursor };
 *     const { plays, next } = await http.request({ path: 'plays', operation: 'plays', query, schema: pageSchema });
 *     return { records: plays, cursor: next, hasMore: next !== undefined };
 *   },
 *   normalise: (play) => ({ platform: 'vinyl', externalId: eventId({ at: play.at, content: play.id }), ... }),
 * });
 * ```
 */
export function incremental<Entry>(definition: IncrementalDefinition<Entry>): IncrementalCapability {
  const { fetch, entry, normalise, ...rest } = definition;
  return {
    ...rest,
    async fetchPage(context, request): Promise<ItemPage> {
      const { records, cursor = '', ...told } = await fetch(context, request);
      return { ...told, read: records.length, ...sort(records, entry, normalise), cursor };
    },
    replay(raw) {
      const { items, rejected } = sort([raw], entry, normalise);
      return { items, rejected };
    },
  };
}

function sort<Entry>(
  records: readonly unknown[],
  schema: StandardSchema<Entry, unknown>,
  normalise: (entry: Entry) => RecordResult,
): Pick<ItemPage, 'items' | 'skipped' | 'rejected'> {
  const items: MediaItem[] = [];
  const skipped: Record<string, number> = {};
  const rejected: PoisonRecord[] = [];
  for (const raw of records) {
    const checked = schema['~standard'].validate(raw);
    if (checked instanceof Promise) throw new TypeError('The schema of a record must check at once, not later.');
    if (checked.issues) {
      rejected.push({ reason: 'unexpected_shape', message: shapeOf(checked.issues), raw });
      continue;
    }
    const result = tryNormalise(normalise, checked.value);
    if ('skip' in result) skipped[result.skip] = (skipped[result.skip] ?? 0) + 1;
    else if ('reject' in result) rejected.push({ reason: result.reject, message: result.message, raw });
    else items.push(result);
  }
  return { items, skipped, rejected };
}

/** One record that the author did not think of must not stop all the others. */
function tryNormalise<Entry>(normalise: (entry: Entry) => RecordResult, entry: Entry): RecordResult {
  try {
    return normalise(entry);
  } catch (error) {
    // The name of the error only: its message may quote the record.
    const name = error instanceof Error ? error.name : 'an error';
    return { reject: 'unexpected_record', message: `normalise threw ${name}` };
  }
}

/** Where the record is not what it should be. Paths only: what stands there is the user's. */
function shapeOf(issues: readonly { readonly path?: readonly unknown[] | undefined }[]): string {
  const paths = issues.slice(0, 3).map(({ path = [] }) => path.map((part) => pathPart(part)).join('.') || 'the record');
  return `not as expected: ${paths.join(', ')}`;
}

function pathPart(part: unknown): string {
  return String(typeof part === 'object' && part !== null ? (part as { readonly key: PropertyKey }).key : part);
}
