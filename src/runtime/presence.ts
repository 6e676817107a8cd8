import type { PresentContent } from '../contracts/capabilities/history.ts';
import type { MediaItem } from '../contracts/media-item.ts';

/**
 * Tells of an item whether the service still has it: `undefined` where it is not spoken of. One without a `contentId` is
 * never spoken of.
 */
export function presenceOf({
  source,
  prefix = '',
  contentIds,
}: PresentContent): (item: Pick<MediaItem, 'source' | 'contentId'>) => boolean | undefined {
  const listed = new Set(contentIds);
  return ({ source: ownSource, contentId }) => {
    if (ownSource !== source || contentId === undefined || !contentId.startsWith(prefix)) return undefined;
    return wholesOf(contentId).some((whole) => listed.has(whole));
  };
}

/** `show:12:s1e3` is itself, and within `show:12` and `show`. */
function wholesOf(contentId: string): readonly string[] {
  const parts = contentId.split(':');
  return parts.map((_, index) => parts.slice(0, parts.length - index).join(':'));
}
