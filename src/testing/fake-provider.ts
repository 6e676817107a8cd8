import type { AuthStrategy } from '../contracts/auth.ts';
import type { ItemPage, PageRequest, PoisonRecord } from '../contracts/capabilities/history.ts';
import type { HistoryCapability, ProviderContext, SessionCheckCapability } from '../contracts/capabilities/index.ts';
import { McaError } from '../contracts/errors.ts';
import type { MediaItem } from '../contracts/media-item.ts';
import type { Provider, RateLimit } from '../contracts/provider.ts';
import type { StandardSchema } from '../contracts/standard-schema.ts';

/** How {@link fakeProvider} is set up. */
export interface FakeProviderOptions<Id extends string = 'fake'> {
  /** Where its {@link FakeService} answers, such as `https://service.test/v1`. */
  readonly baseUrl: string;
  /** @default 'fake' */
  readonly id?: Id | undefined;
  /** @default a form that asks for a token */
  readonly auth?: readonly AuthStrategy[] | undefined;
  readonly limits?: readonly RateLimit[] | undefined;
  /** The service tells of the newest plays only: gaps can happen, and there is no backfill. @default false */
  readonly window?: boolean | undefined;
  readonly overlapMs?: number | undefined;
  readonly deepOverlapMs?: number | undefined;
  readonly intervalMs?: number | undefined;
  /** Replaces parts of the history: for broken variants that a test must catch. */
  readonly history?: Partial<HistoryCapability> | undefined;
}

/** Capabilities of {@link fakeProvider}. */
export interface FakeCapabilities {
  readonly history: HistoryCapability;
  readonly sessionCheck: SessionCheckCapability;
}

interface Wire {
  readonly plays: readonly unknown[];
  readonly next: string | null;
  readonly total: number;
}

/**
 * The provider of a {@link FakeService}: small, whole, and an example of what a provider is.
 *
 * @example
 * ```ts
 * const registry = createRegistry({ providers: [fakeProvider({ baseUrl: 'https://service.test/v1' })], env: { fetch: service.fetch }, ...memory() });
 * ```
 */
export function fakeProvider<const Id extends string = 'fake'>(
  options: FakeProviderOptions<Id>,
): Provider<Id, FakeCapabilities> {
  const id = (options.id ?? 'fake') as Id;
  const { overlapMs, deepOverlapMs, intervalMs } = options;
  const history: HistoryCapability = {
    sources: { plays: { name: 'Plays', precision: 'second', rank: 1 } },
    order: options.window ? 'newest-first' : 'oldest-first',
    backfill: !options.window,
    overlapMs,
    deepOverlapMs,
    intervalMs,
    fetchPage: (context, request) => fetchPage(id, options.window ?? false, context, request),
    replay: (raw) => sortOut(id, [raw]),
    ...options.history,
  };
  return {
    apiVersion: 1,
    id,
    name: 'Fake service',
    baseUrl: options.baseUrl,
    auth: options.auth ?? [tokenForm],
    limits: options.limits ?? [],
    errors: [
      {
        status: 400,
        field: { path: 'error', equals: ['page_token_expired', 'page_token_invalid'] },
        code: 'invalid_data',
        reason: 'cursor_invalid',
      },
    ],
    policy: {},
    capabilities: {
      history,
      sessionCheck: {
        async check({ http }) {
          try {
            const me = await http.request({
              path: 'me',
              operation: 'me',
              schema: anyJson<{ id: string; name: string }>(),
            });
            return { valid: true, account: me.id, label: me.name };
          } catch (error) {
            if (McaError.isInstance(error) && error.code === 'auth_expired') return { valid: false };
            throw error;
          }
        },
      },
    },
  };
}

const tokenForm: AuthStrategy = {
  type: 'form',
  fields: [{ name: 'token', label: 'Token', secret: true, kind: 'password' }],
  sign: ({ headers }, { fields }) => headers.set('authorization', `Bearer ${fields.token ?? ''}`),
};

async function fetchPage(
  platform: string,
  isWindow: boolean,
  { http }: ProviderContext,
  { cursor, since, until, highWater, limit }: PageRequest,
): Promise<ItemPage> {
  const query = cursor === undefined ? { since, until, limit } : { page: cursor, limit };
  const answer = await http.request({ path: 'plays', operation: 'plays', query, schema: anyJson<Wire>() });
  const sorted = sortOut(platform, answer.plays);
  const oldest = sorted.items.at(-1)?.consumedAt.getTime();
  // A window whose oldest play is newer than all we know may have dropped some in between.
  const isGap =
    isWindow && highWater !== undefined && oldest !== undefined && oldest > highWater && sorted.items.length >= 50;
  return {
    read: answer.plays.length,
    ...sorted,
    skipped: {},
    cursor: answer.next ?? '',
    hasMore: answer.next !== null,
    total: answer.total,
    ...(isGap && { gap: { from: highWater, to: oldest } }),
  };
}

function sortOut(
  platform: string,
  plays: readonly unknown[],
): { readonly items: readonly MediaItem[]; readonly rejected: readonly PoisonRecord[] } {
  const items: MediaItem[] = [];
  const rejected: PoisonRecord[] = [];
  for (const raw of plays) {
    const { id, played_at: playedAt, title, artist } = raw as Record<string, unknown>;
    if (typeof id !== 'string' || typeof playedAt !== 'number' || typeof title !== 'string') {
      rejected.push({ reason: 'unexpected_shape', message: 'not as expected: played_at', raw });
      continue;
    }
    items.push({
      platform,
      externalId: `${Math.floor(playedAt / 1000)}:${id}`,
      type: 'music',
      action: 'consumed',
      title,
      ...(typeof artist === 'string' && { creator: artist }),
      consumedAt: new Date(playedAt),
      tags: [],
      contentId: id,
      ids: {},
      source: 'plays',
      precision: 'second',
      rawMetadata: {},
    });
  }
  return { items, rejected };
}

/** Takes the service at its word: it is our own. */
function anyJson<Output>(): StandardSchema<Output> {
  return { '~standard': { version: 1, vendor: 'mca', validate: (value) => ({ value: value as Output }) } };
}
