import type { ImportProgress, MediaItem } from '@mca/core/adapter-kit';

/** Pages of one reference run. */
export const PAGES = 240;
/** Items of a page. The first four of each repeat the last four of the page before, two of them with more time spent. */
export const PAGE_ITEMS = 30;
const REPEATED = 4;
const NEW_ITEMS = PAGE_ITEMS - REPEATED;

/** The import that a reference run belongs to. */
export const IMPORT_ID = 'reference';

/** Page `page` of the reference sequence, counting from 0; the same one in every process. */
export function referencePage(page: number): readonly MediaItem[] {
  const start = page * NEW_ITEMS;
  return Array.from({ length: PAGE_ITEMS }, (_, index) => {
    const isRepeat = index < REPEATED && page > 0;
    return referenceItem(start + index, isRepeat && index % 2 === 0 ? 1_000 : 0);
  });
}

/** Totals of the reference import after so many pages. */
export function referenceProgress(pages: number): ImportProgress {
  return {
    id: IMPORT_ID,
    status: pages === PAGES ? 'complete' : 'running',
    startedAt: new Date(0),
    files: ['reference.json'],
    read: pages * PAGE_ITEMS,
    skipped: {},
    rejected: {},
    coverage: [],
  };
}

function referenceItem(number: number, moreMs: number): MediaItem {
  const second = 1_600_000_000 + number * 200;
  return {
    platform: 'spotify',
    externalId: `${second}:spotify:track:${number % 97}`,
    type: 'music',
    action: 'consumed',
    title: `Song ${number % 97}`,
    creator: `Artist ${number % 13}`,
    consumedAt: new Date(second * 1_000),
    timeSpentMs: 10_000 + (number % 50) + moreMs,
    tags: number % 10 === 0 ? ['live'] : [],
    ids: {},
    source: 'extended-history',
    precision: 'second',
    rawMetadata: { number },
  };
}
