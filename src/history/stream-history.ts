import { assertScopes, openContext } from '../auth/connection-context.ts';
import type { Cursor } from '../contracts/cursor.ts';
import { McaError } from '../contracts/errors.ts';
import type { MediaItem } from '../contracts/media-item.ts';
import type { AnyProvider, ProviderIdWith } from '../contracts/provider.ts';
import { capabilityOf, type Registry } from '../registry/create-registry.ts';
import { decodeCursor, encodeCursor } from '../runtime/cursor.ts';
import { checkPage, checkPoison } from './check-page.ts';
import { checkUserId } from './import-file.ts';
import { connectionOf } from './sync-history.ts';
import { advance, nextWalk, type Position } from './sync-position.ts';

/** Whose history to stream, and from where on. */
export interface StreamOptions<Id extends string> {
  readonly userId: string;
  readonly provider: Id;
  readonly connectionId?: string | undefined;
  /** `cursor` of the last batch you stored. @default everything */
  readonly cursor?: Cursor | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One page, and the position after it. */
export interface StreamBatch {
  readonly items: readonly MediaItem[];
  /** Store it together with the items, and hand it in next time. */
  readonly cursor: Cursor;
  /** Records that could not be normalised. */
  readonly rejected: readonly { readonly reason: string; readonly message: string }[];
  /** Stretch that the service no longer tells of. */
  readonly gap?: { readonly from: Date; readonly to: Date } | undefined;
}

/**
 * Hands a user's history over page by page without storing any of it, for hosts that keep it elsewhere. Memory stays
 * constant. Items near the position come again in the next stream: apply them by key.
 *
 * @throws McaError when the user has not connected the provider (`not_found` `not_connected`), and whatever the service
 * answers; batches handed over before stay good
 * @example
 * ```ts
 * for await (const { items, cursor } of streamHistory(registry, { userId: 'ana', provider: 'lastfm', cursor: saved })) {
 *   await mine.store(items, cursor);
 * }
 * ```
 */
export async function* streamHistory<const P extends readonly AnyProvider[], Id extends ProviderIdWith<P, 'history'>>(
  registry: Registry<P>,
  options: StreamOptions<Id>,
): AsyncGenerator<StreamBatch, void, undefined> {
  checkUserId(options.userId);
  const { provider } = options;
  const capability = capabilityOf(registry, provider, 'history');
  await registry.ready();
  const connection = await connectionOf(registry, options);
  if (!connection) {
    throw new McaError({
      code: 'not_found',
      reason: 'not_connected',
      provider,
      message: `The user has not connected ${provider}.`,
      hint: 'Connect first: beginConnect.',
    });
  }
  const signal = AbortSignal.any([options.signal, registry.access.closing].filter((each) => each !== undefined));
  assertScopes(connection, capability.scopes ?? []);
  const context = await openContext(registry, connection, signal);
  const { clock } = registry.env;
  const expected = { provider, capability: 'history' };
  let position: Position = options.cursor ? decodeCursor(options.cursor, expected) : { opaque: '' };
  for (;;) {
    const walk = position.walk ?? nextWalk(position, capability, clock.now());
    const { opaque, highWater } = position;
    const request = {
      cursor: opaque === '' ? undefined : opaque,
      since: walk.since,
      until: walk.until,
      highWater,
      limit: 1_000,
    };
    const page = await capability.fetchPage(context, request);
    checkPage(page, request, { connection, capability });
    checkPoison(page, provider);
    const now = clock.now();
    position = advance({ ...position, walk }, page, { platform: provider, order: capability.order, now });
    const { highWater: mark, deepAt, walk: under, opaque: rest } = position;
    const kept: Position = { highWater: mark, deepAt, walk: under, opaque: rest };
    yield {
      items: page.items,
      cursor: encodeCursor({ ...expected, issuedAt: now, ...kept }),
      rejected: page.rejected.map(({ reason, message }) => ({ reason, message })),
      ...(page.gap && { gap: { from: new Date(page.gap.from), to: new Date(page.gap.to) } }),
    };
    if (!page.hasMore) return;
  }
}
