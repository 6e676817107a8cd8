import { assertScopes, openContext } from '../auth/connection-context.ts';
import { connectionOf } from '../auth/connection-of.ts';
import type { IncrementalName, PresentContent } from '../contracts/capabilities/index.ts';
import type { Cursor } from '../contracts/cursor.ts';
import { McaError } from '../contracts/errors.ts';
import type { MediaItem } from '../contracts/media-item.ts';
import type { AnyProvider, ProviderIdWith } from '../contracts/provider.ts';
import { checkUserId } from '../registry/check-user-id.ts';
import { type AnyRegistry, capabilityOf, type Registry } from '../registry/create-registry.ts';
import { decodeCursor, encodeCursor } from '../runtime/cursor.ts';
import { newTrail, nextPage } from './next-page.ts';
import { redacted } from './parked-record.ts';
import { advance, nextWalk, type Position } from './sync-position.ts';

/** Whose items to stream, and from where on. */
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
  /** Whether the service has more just now. */
  readonly hasMore: boolean;
  /** Records that could not be normalised, each as the service sent it, without secrets. */
  readonly rejected: readonly { readonly reason: string; readonly message: string; readonly raw: unknown }[];
  /** Stretch that the service no longer tells of. */
  readonly gap?: { readonly from: Date; readonly to: Date } | undefined;
  /**
   * What the service still has, where it says so: an item you keep that is spoken of and not in it was removed there.
   * Nothing guards against a service that says so by mistake: do not take an answer that empties a history at its word.
   */
  readonly present?: readonly PresentContent[] | undefined;
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
export function streamHistory<const P extends readonly AnyProvider[], Id extends ProviderIdWith<P, 'history'>>(
  registry: Registry<P>,
  options: StreamOptions<Id>,
): AsyncGenerator<StreamBatch, void, undefined> {
  return stream(registry, 'history', options);
}

/** Hands over what a user liked and saved. Like {@link streamHistory}, with cursors of its own. */
export function streamLibrary<const P extends readonly AnyProvider[], Id extends ProviderIdWith<P, 'library'>>(
  registry: Registry<P>,
  options: StreamOptions<Id>,
): AsyncGenerator<StreamBatch, void, undefined> {
  return stream(registry, 'library', options);
}

/** Hands over what a user rated. Like {@link streamHistory}, with cursors of its own. */
export function streamRatings<const P extends readonly AnyProvider[], Id extends ProviderIdWith<P, 'ratings'>>(
  registry: Registry<P>,
  options: StreamOptions<Id>,
): AsyncGenerator<StreamBatch, void, undefined> {
  return stream(registry, 'ratings', options);
}

async function* stream(
  registry: AnyRegistry,
  name: IncrementalName,
  options: StreamOptions<string>,
): AsyncGenerator<StreamBatch, void, undefined> {
  checkUserId(options.userId);
  const { provider } = options;
  const capability = capabilityOf(registry, provider, name);
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
  const { access, env } = registry;
  const signal = AbortSignal.any([options.signal, access.closing].filter((each) => each !== undefined));
  assertScopes(connection, capability.scopes ?? []);
  const source = { connection, capability, context: await openContext(registry, connection, signal) };
  const expected = { provider, capability: name };
  let position: Position = options.cursor ? decodeCursor(options.cursor, expected) : { opaque: '' };
  const trail = newTrail();
  for (;;) {
    const walk = position.walk ?? nextWalk(position, capability, env.clock.now());
    const fetched = await access.track(nextPage(source, { ...position, walk }, trail));
    const { page } = fetched;
    const now = env.clock.now();
    const { order, keepsCursor } = capability;
    const next = advance(fetched.position, page, { platform: provider, order, keepsCursor, now });
    // What was told and what was not is the host's to keep.
    const { coverage: _told, gaps: _untold, ...rest } = next;
    position = rest;
    yield {
      items: page.items,
      cursor: encodeCursor({ ...expected, issuedAt: now, ...position }),
      hasMore: page.hasMore,
      rejected: page.rejected.map(({ reason, message, raw }) => ({ reason, message, raw: redacted(raw) })),
      ...(page.gap && { gap: { from: new Date(page.gap.from), to: new Date(page.gap.to) } }),
      ...(page.present && { present: page.present }),
    };
    if (!page.hasMore) return;
  }
}
