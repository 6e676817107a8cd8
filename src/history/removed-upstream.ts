import type { PresentContent } from '../contracts/capabilities/history.ts';
import type { WhyKept } from '../contracts/events.ts';
import type { ItemKey, StoredItem } from '../contracts/media-item.ts';
import type { Keyset } from '../contracts/storage/index.ts';
import { presenceOf } from '../runtime/presence.ts';
import { REMOVED_KEYS } from './sync-report.ts';
import { ACTIONS } from './sync-start.ts';
import type { SyncJob } from './sync-walk.ts';

/** Items looked at in one go. */
const LOOK_AT = 1_000;
/** Of so few items nobody can say whether it is plausible that they are gone. */
const FEW = 20;

/**
 * Compares what is stored with what the service still has, tells what is gone, and deletes it where the host asked for
 * that. Comes before the page that says so is committed: whatever kills the process in between, the page comes again, and
 * with it the comparison.
 */
export async function followRemovals(
  job: SyncJob,
  all: readonly PresentContent[],
  throwIfStopped: () => void,
): Promise<void> {
  for (const present of all) await followRemoval(job, present, throwIfStopped);
}

async function followRemoval(job: SyncJob, present: PresentContent, throwIfStopped: () => void): Promise<void> {
  const { registry, connection, name, ledger, removedUpstream } = job;
  const { id: connectionId, userId, provider } = connection;
  const keys: ItemKey[] = [];
  let [stored, count, wouldNotReturn] = [0, 0, 0];
  for await (const { item, isGone } of spokenOf(job, present, throwIfStopped)) {
    stored += 1;
    if (!isGone) continue;
    count += 1;
    if (isNamedByContent(item)) wouldNotReturn += 1;
    if (keys.length < REMOVED_KEYS) keys.push(keyOf(item));
  }
  if (count === 0) return;

  const whyAll = whyKeepAll(stored, count, removedUpstream);
  const some: Partial<Record<WhyKept, number>> = wouldNotReturn > 0 ? { would_not_return: wouldNotReturn } : {};
  const kept = whyAll ? { [whyAll]: count } : some;
  // Told before anything is deleted: what was deleted is not found a second time.
  ledger.addRemoved({ count, keys, kept });
  registry.emit({ type: 'items_removed_upstream', provider, connectionId, userId, capability: name, count, kept });
  if (whyAll) return;
  for await (const { item, isGone } of spokenOf(job, present, throwIfStopped)) {
    if (!isGone || isNamedByContent(item)) continue;
    if (await registry.storage.deleteItem(keyOf(item))) ledger.countDeleted();
  }
}

/** A service that is broken, or somebody else's, must not empty a user's history. */
function whyKeepAll(stored: number, gone: number, wish: SyncJob['removedUpstream']): WhyKept | undefined {
  if (stored > FEW && gone > stored / 2) return 'implausible';
  return wish === 'delete' ? undefined : 'not_asked';
}

/**
 * What has no time in its name, such as a rating, would have the same name when the user adds it again, and a deleted name
 * never comes back: deleting it would lose what is yet to happen.
 */
function isNamedByContent({ externalId, contentId, action }: StoredItem): boolean {
  return externalId === contentId || externalId === `${action}:${contentId}`;
}

/** Everything stored that `present` speaks of, page by page: memory stays constant. */
async function* spokenOf(
  { registry, connection, name }: SyncJob,
  present: PresentContent,
  throwIfStopped: () => void,
): AsyncGenerator<{ readonly item: StoredItem; readonly isGone: boolean }, void, undefined> {
  const isPresent = presenceOf(present);
  const filter = {
    userId: connection.userId,
    connectionId: connection.id,
    platforms: [connection.provider],
    actions: ACTIONS[name],
  };
  let after: Keyset | undefined;
  do {
    throwIfStopped();
    const items = await registry.storage.queryItems({ ...filter, order: 'oldest', limit: LOOK_AT, after });
    for (const item of items) {
      const isStillThere = isPresent(item);
      if (isStillThere !== undefined) yield { item, isGone: !isStillThere };
    }
    const last = items.length === LOOK_AT ? items.at(-1) : undefined;
    after = last && { ...keyOf(last), consumedAt: last.consumedAt.getTime() };
  } while (after);
}

function keyOf({ userId, platform, externalId }: StoredItem): ItemKey {
  return { userId, platform, externalId };
}
