import {
  eventId,
  isPlausible,
  type Json,
  type JsonRow,
  type MediaAction,
  type MediaItem,
  type PlausibleTimes,
  parseUtc,
  type RecordResult,
  reject,
  skip,
} from '@mca/core/provider-kit';
import { LINK_LENGTH_MAX, parseLink } from './links.ts';
import type { Section } from './sections.ts';

/** The only source of TikTok items: one file holds all sections, so none is finer than another. */
export const SOURCE = 'user-data';

const actions: Readonly<Record<Exclude<Section, 'live'>, MediaAction>> = {
  watch: 'consumed',
  likes: 'liked',
  favorites: 'saved',
};
/** TikTok came out in 2014, as musical.ly. */
export const TIKTOK_BEGAN: number = Date.UTC(2014, 0, 1);
/** Captions have up to 4,000 characters; what is longer is none. */
const CAPTION_LENGTH_MAX = 4_000;
/** What a title keeps of a caption. */
const TITLE_LENGTH_MAX = 2_000;
/** Of a date; the longest form has about thirty. */
const DATE_LENGTH_MAX = 40;

/** Turns one record of a section into an item. */
export function toItem(row: JsonRow, section: Section, key: string | undefined, times: PlausibleTimes): RecordResult {
  return section === 'live' ? toLiveItem(row, key, times) : toVideoItem(row, section, times);
}

function toVideoItem(row: JsonRow, section: Exclude<Section, 'live'>, times: PlausibleTimes): RecordResult {
  const date = field(row, 'Date', 'date');
  if (isPlaceholder(date)) return skip('placeholder');
  const rawLink = field(row, 'Link', 'link');
  if (isPlaceholder(rawLink)) return skip('deleted');
  const at = timeOf(date);
  if (at === undefined) return reject('invalid_date', 'the date is not a possible date and time', 'Date');
  if (!isPlausible(at, times)) return reject('implausible_date', 'the date is before 2014 or in the future', 'Date');
  const link = typeof rawLink === 'string' ? parseLink(rawLink.trim()) : undefined;
  if (!link) return reject('invalid_link', 'the link does not name a TikTok video', 'Link');
  const caption = captionOf(row);
  if (caption && caption.length > CAPTION_LENGTH_MAX)
    return reject('too_long', 'the title is longer than any caption', 'Title');
  const action = actions[section];
  return item({
    externalId: action === 'consumed' ? eventId({ at, content: link.id }) : eventId({ action, content: link.id }),
    subtype: link.isPhoto ? 'photo' : 'short_video',
    action,
    title: caption?.slice(0, TITLE_LENGTH_MAX) ?? `TikTok video ${link.id}`,
    creator: link.user,
    at,
    url: link.url,
    contentId: link.id,
    ids: link.isVideoId ? { tiktok: link.id } : {},
    section,
  });
}

/** Live streams are a map by the id of the stream; what was written and asked there is not looked at. */
function toLiveItem(row: JsonRow, key: string | undefined, times: PlausibleTimes): RecordResult {
  // Streams that are gone are all called -1.
  if (key === undefined || isPlaceholder(key) || key === '-1') return skip('placeholder');
  const time = row.WatchTime ?? field(row, 'Date', 'date');
  if (isPlaceholder(time)) return skip('placeholder');
  const at = timeOf(time);
  if (at === undefined) return reject('invalid_date', 'the time is not a possible date and time', 'WatchTime');
  if (!isPlausible(at, times))
    return reject('implausible_date', 'the time is before 2014 or in the future', 'WatchTime');
  if (!/^\d{1,20}$/.test(key)) return reject('invalid_id', 'the id of the stream is not a number');
  const link = field(row, 'Link', 'link');
  const url =
    typeof link === 'string' && link.length <= LINK_LENGTH_MAX
      ? /^https?:\/\/(?:[a-z0-9-]+\.)*tiktokv?\.com\/[^?#\s]*/i.exec(link)?.[0]
      : undefined;
  return item({
    externalId: eventId({ at, content: key }),
    subtype: 'live',
    action: 'consumed',
    title: `TikTok live ${key}`,
    creator: url === undefined ? undefined : /\/@([^/]{1,100})/.exec(url)?.[1],
    at,
    url,
    contentId: key,
    ids: {},
    section: 'live',
  });
}

type ItemParts = Pick<
  MediaItem,
  'externalId' | 'subtype' | 'action' | 'title' | 'creator' | 'url' | 'contentId' | 'ids'
> & {
  readonly at: number;
  readonly section: Section;
};

function item({ at, section, ...parts }: ItemParts): MediaItem {
  const rawMetadata: Readonly<Record<string, Json>> = { section };
  return {
    platform: 'tiktok',
    type: 'video',
    ...parts,
    consumedAt: new Date(at),
    tags: [],
    source: SOURCE,
    precision: 'second',
    rawMetadata,
  };
}

/** Keys are upper or lower case, depending on section and year. */
function field(row: JsonRow, upper: string, lower: string): unknown {
  return row[upper] ?? row[lower];
}

/** All the ways in which TikTok writes "nothing". */
function isPlaceholder(value: unknown): boolean {
  if (typeof value !== 'string') return value === undefined || value === null;
  const text = value.trim();
  return text.length <= 4 && ['', 'n/a', 'none'].includes(text.toLowerCase());
}

/** `2026-05-14 21:03:11`, with ` UTC` behind, or ISO: always UTC, always to the second. */
function timeOf(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  return text.length >= 19 && text.length <= DATE_LENGTH_MAX ? parseUtc(text) : undefined;
}

function captionOf(row: JsonRow): string | undefined {
  const title = field(row, 'Title', 'title');
  return typeof title === 'string' && !isPlaceholder(title) ? title.trim() : undefined;
}
