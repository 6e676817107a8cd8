import type { ProviderContext } from '../contracts/capabilities/context.ts';
import type { IncrementalCapability, ItemPage, PageRequest } from '../contracts/capabilities/history.ts';
import type { Connection } from '../contracts/connection.ts';
import { McaError } from '../contracts/errors.ts';
import { checkPage, checkPoison } from './check-page.ts';
import { newestOf, type Position, restarted } from './sync-position.ts';

/** Records asked for at a time; services with less give less. */
const PAGE_LIMIT = 1_000;

/** Where pages come from. */
export interface PageSource {
  readonly connection: Connection;
  readonly capability: IncrementalCapability;
  readonly context: ProviderContext;
}

/** Where one walk has been since it was taken up. */
export interface Trail {
  /** Positions of the provider's that led to a page. */
  readonly met: Set<string>;
  hasRestarted: boolean;
}

/** A walk that has been nowhere yet. */
export function newTrail(): Trail {
  return { met: new Set(), hasRestarted: false };
}

/**
 * Fetches the page of a walk under way, and holds it to the contract. When the service has forgotten the position, the
 * walk begins again, once: the position in the answer is the one that the page belongs to.
 *
 * @throws McaError whatever the service answers; `plugin` for a page that breaks the contract; `invalid_data`
 * `poisoned_page` for one that is mostly bad
 */
export async function nextPage(
  source: PageSource,
  position: Position,
  trail: Trail,
): Promise<{ readonly position: Position; readonly page: ItemPage }> {
  const { capability, connection, context } = source;
  const request = requestOf(position);
  let page: ItemPage;
  try {
    page = await capability.fetchPage(context, request);
  } catch (error) {
    if (!isLostCursor(error) || request.cursor === undefined || trail.hasRestarted) throw error;
    trail.hasRestarted = true;
    trail.met.clear();
    return nextPage(source, restarted(position, capability), trail);
  }
  checkPage(page, request, source, trail.met);
  checkPoison(page, connection.provider);
  if (page.hasMore) trail.met.add(page.cursor);
  else trail.met.clear();
  return { position, page };
}

function requestOf({ walk, highWater, floor, opaque }: Position): PageRequest {
  return {
    cursor: opaque === '' ? undefined : opaque,
    since: newestOf([walk?.since, floor]),
    until: walk?.until,
    highWater,
    limit: PAGE_LIMIT,
  };
}

function isLostCursor(error: unknown): boolean {
  return McaError.isInstance(error) && error.reason === 'cursor_invalid';
}
