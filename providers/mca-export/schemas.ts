import { isPlausible, type MediaItem, type Rejected, reject } from '@mca/core/provider-kit';
import { z } from 'zod';

const nonEmpty = z.string().min(1);
const optionalText = z.string().nullish();
const optionalAmount = z.number().min(0).nullish();

/** An item as `exportItems` writes it. */
const exportedItem = z.object({
  platform: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/),
  externalId: nonEmpty.max(512),
  type: z.enum(['music', 'video', 'podcast', 'audiobook', 'article', 'book']),
  subtype: optionalText,
  action: z.enum(['consumed', 'liked', 'saved', 'rated']),
  title: nonEmpty,
  creator: optionalText,
  consumedAt: z.iso.datetime(),
  durationMs: optionalAmount,
  timeSpentMs: optionalAmount,
  tags: z.array(z.string()).nullish(),
  url: optionalText,
  contentId: optionalText,
  ids: z.record(z.string(), z.string()).nullish(),
  rating: z.number().min(0).max(10).nullish(),
  source: nonEmpty,
  precision: z.enum(['second', 'minute', 'hour', 'day']),
  account: optionalText,
  rawMetadata: z.record(z.string(), z.json()).nullish(),
});

/** Items come from any platform, so only what is older than all of them is refused: diaries of films and books go back to 1900. */
const EARLIEST = Date.UTC(1900, 0, 1);

/** The item as it was, or what is wrong with the record. */
export function parseItem(value: unknown, now: number): MediaItem | Rejected {
  const result = exportedItem.safeParse(value);
  if (result.success) {
    const item = toItem(result.data);
    return isPlausible(item.consumedAt.getTime(), { earliest: EARLIEST, now })
      ? item
      : reject('implausible_date', 'consumedAt is before 1900 or in the future', 'consumedAt');
  }
  const [issue] = result.error.issues;
  return reject('invalid_item', issue?.message ?? 'the record is no item', issue?.path.join('.'));
}

function toItem(row: z.infer<typeof exportedItem>): MediaItem {
  return {
    platform: row.platform,
    externalId: row.externalId,
    type: row.type,
    subtype: row.subtype ?? undefined,
    action: row.action,
    title: row.title,
    creator: row.creator ?? undefined,
    consumedAt: new Date(row.consumedAt),
    durationMs: row.durationMs ?? undefined,
    timeSpentMs: row.timeSpentMs ?? undefined,
    tags: row.tags ?? [],
    url: row.url ?? undefined,
    contentId: row.contentId ?? undefined,
    ids: row.ids ?? {},
    rating: row.rating ?? undefined,
    source: row.source,
    precision: row.precision,
    account: row.account ?? undefined,
    rawMetadata: row.rawMetadata ?? {},
  };
}
