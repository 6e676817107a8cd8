import assert from 'node:assert/strict';
import type { IncrementalCapability, ItemPage, PageRequest } from '../contracts/capabilities/history.ts';
import type { ProviderContext } from '../contracts/capabilities/index.ts';
import type { Fetch } from '../contracts/env.ts';
import type { MediaItem } from '../contracts/media-item.ts';
import { presenceOf } from '../runtime/presence.ts';
import type { ConformanceCase } from './conformance-case.ts';

/** A service from which something is taken away. */
export interface ShrinkingService {
  /** The service, as a `fetch`. */
  readonly fetch: Fetch;
  /** Something is removed, a second after `now`. @returns the `externalId`s of all that goes with it */
  remove(): readonly string[];
}

/** What the cases of `HIST-14` are made of. */
export interface RemovalCaseParts {
  readonly capability: IncrementalCapability;
  readonly full: () => ProviderContext;
  readonly shrinking: (() => ShrinkingService) | undefined;
  readonly contextOf: (fetch: Fetch, signal?: AbortSignal, at?: number) => ProviderContext;
  readonly walk: (context: ProviderContext, request?: Partial<PageRequest>) => Promise<readonly ItemPage[]>;
  readonly now: number;
}

/** Cases of `HIST-14`. */
export function removalCases(parts: RemovalCaseParts): readonly ConformanceCase[] {
  const { capability, full, shrinking, contextOf, walk, now } = parts;
  const whyNotShrinking = shrinking ? undefined : 'the suite was given no service from which something is removed';
  return [
    {
      id: 'HIST-14',
      title: 'nothing that a walk gives is called gone, and ids are of a declared source',
      async run() {
        const given: MediaItem[] = [];
        for (const page of await walk(full())) {
          given.push(...page.items);
          for (const { source, prefix = '', contentIds } of page.present ?? []) {
            assert.ok(Object.hasOwn(capability.sources, source), `"${source}" is no declared source`);
            for (const id of contentIds) assert.ok(id.startsWith(prefix), `${id} does not begin with "${prefix}"`);
          }
          const [gone] = goneOf(given, [page]);
          assert.equal(gone, undefined, `${gone} was given, and is called gone`);
        }
      },
    },
    {
      id: 'HIST-14',
      title: 'what was removed at the service is called gone in the next walk, and nothing else',
      skip: whyNotShrinking,
      async run() {
        const { fetch, remove } = shrinking?.() ?? assert.fail(whyNotShrinking);
        const before = await walk(contextOf(fetch));
        const stored = before.flatMap(({ items }) => items);
        const removed = remove();
        assert.ok(
          removed.length > 0 && removed.length < stored.length,
          'the suite has to remove some items, and not all',
        );
        const later = contextOf(fetch, undefined, now + 3_600_000);
        const kept = capability.keepsCursor ? { cursor: before.at(-1)?.cursor, since: now, highWater: now } : {};
        const gone = goneOf(stored, await walk(later, kept));
        assert.deepEqual(new Set(gone), new Set(removed), 'other items are called gone than were removed');
      },
    },
  ];
}

function goneOf(items: readonly MediaItem[], pages: readonly ItemPage[]): readonly string[] {
  const verdicts = pages.flatMap(({ present = [] }) => present).map(presenceOf);
  const gone = items.filter((item) => verdicts.some((isPresent) => isPresent(item) === false));
  return gone.map(({ externalId }) => externalId);
}
