import type { ItemPage, PageRequest } from '../contracts/capabilities/history.ts';
import { McaError } from '../contracts/errors.ts';
import { faultOf } from './check-item.ts';
import { sumReasons } from './import-report.ts';
import type { PageSource } from './next-page.ts';

/** A page of which more is bad than this share, and this number, is a change of the service and not bad luck. */
const POISON_SHARE = 0.2;
const POISON_LEAST = 5;

/**
 * Holds a provider to its contract.
 *
 * @throws McaError `plugin`
 */
export function checkPage(
  page: ItemPage,
  request: PageRequest,
  { connection, capability }: Pick<PageSource, 'connection' | 'capability'>,
  /** Positions that this walk has been at. */
  met: ReadonlySet<string>,
): void {
  const { provider } = connection;
  const broken = (reason: string, what: string): McaError =>
    new McaError({
      code: 'plugin',
      reason,
      provider,
      message: `The provider ${provider} ${what}.`,
      hint: 'This is a defect of the provider. `historyConformance` of @mca/core/testing finds it.',
    });
  const accounted = page.items.length + sumReasons(page.skipped) + page.rejected.length;
  if (page.read !== accounted)
    throw broken('unbalanced_page', `read ${page.read} records but accounts for ${accounted}`);
  for (const item of page.items) {
    const fault = faultOf(item, { provider, sources: capability.sources });
    if (fault) throw broken('invalid_item', `gave an item with ${fault}`);
  }
  // A misspelt id would call everything stored removed.
  for (const { source, prefix = '', contentIds } of page.present ?? []) {
    if (!Object.hasOwn(capability.sources, source) || contentIds.some((id) => id === '' || !id.startsWith(prefix)))
      throw broken('invalid_present', 'says what it still has of another source, or by ids without their prefix');
  }
  if (!page.hasMore) return;
  if (page.cursor === '' || page.cursor === request.cursor)
    throw broken('stuck_walk', 'says there is more, but not where');
  if (met.has(page.cursor)) throw broken('stuck_walk', 'goes round in a circle');
}

/**
 * A few records that cannot be read are parked. Many at once mean that the service speaks differently now: then nothing
 * of the page is stored and the position stays, so that nothing is missed once the provider understands it again.
 *
 * @throws McaError `invalid_data` `poisoned_page`
 */
export function checkPoison(page: ItemPage, provider: string): void {
  const bad = page.rejected.length;
  if (bad < POISON_LEAST || bad <= page.read * POISON_SHARE) return;
  const [first] = page.rejected;
  throw new McaError({
    code: 'invalid_data',
    reason: 'poisoned_page',
    provider,
    message: `${bad} of ${page.read} records of ${provider} could not be understood (${first?.reason}: ${first?.message}).`,
    hint: 'The service may have changed its answers. Nothing of this page was stored, and nothing is missed: the next sync asks for it again.',
  });
}
