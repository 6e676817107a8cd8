import {
  eventId,
  type Json,
  type JsonRow,
  type MediaAction,
  type MediaItem,
  parseUtc,
  type RecordResult,
  reject,
  skip,
} from '@mca/core/provider-kit';
import { parseLink } from './links.ts';
import type { Section } from './sections.ts';

/** The only source of TikTok items: one file holds all sections, so none is finer than another. */
export const SOURCE = 'user-data';

const actions: Readonly<Record<Exclude<Section, 'live'>, MediaAction>> = {
  watch: 'consumed',
  likes: 'liked',
  favorites: 'saved',
};
const TITLE_LENGTH_MAX = 4_000;

/** Turns one record of a section into an item. */
export function toItem(row: JsonRow, section: Section, key: string | undefined): RecordResult {
  return section === 'live' ? toLiveItem(row, key) : toVideoItem(row, section);
}

function toVideoItem(row: JsonRow, section: Exclude<Section, 'live'>): RecordResult {
  const date = field(row, 'Date', 'date');
  if (isPlaceholder(date)) return skip('placeholder');
  const rawLink = field(row, 'Link', 'link');
  if (isPlaceholder(rawLink)) return skip('deleted');
  const at = timeOf(date);
  if (at === undefined) return reject('invalid_date', 'the date is not a possible date and time', 'Date');
  const link = typeof rawLink === 'string' ? parseLink(rawLink) : undefined;
  if (!link) return reject('invalid_link', 'the link does not name a TikTok video', 'Link');
  const action = actions[section];
  return item({
    externalId: action === 'consumed' ? eventId({ at, content: link.id }) : eventId({ action, content: link.id }),
    subtype: link.isPhoto ? 'photo' : 'short_video',
    action,
    title: titleOf(row) ?? `TikTok video ${link.id}`,
    creator: link.user,
    at,
    url: link.url,
    contentId: link.id,
    ids: link.isVideoId ? { tiktok: link.id } : {},
    section,
  });
}

/** Live streams are a map by the id of the stream; what was written and asked there is not looked at. */
function toLiveItem(row: JsonRow, key: string | undefined): RecordResult {
  // Streams that are gone are all called -1.
  if (key === undefined || isPlaceholder(key) || key === '-1') return skip('placeholder');
  const time = row.WatchTime ?? field(row, 'Date', 'date');
  if (isPlaceholder(time)) return skip('placeholder');
  const at = timeOf(time);
  if (at === undefined) return reject('invalid_date', 'the time is not a possible date and time', 'WatchTime');
  if (!/^\d{1,20}$/.test(key)) return reject('invalid_id', 'the id of the stream is not a number');
  const link = field(row, 'Link', 'link');
  const url =
    typeof link === 'string' ? /^https?:\/\/(?:[a-z0-9-]+\.)*tiktokv?\.com\/[^?#\s]*/i.exec(link)?.[0] : undefined;
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
  return value === undefined || value === null || (typeof value === 'string' && /^\s*(?:N\/A|None)?\s*$/i.test(value));
}

/** `2026-05-14 21:03:11`, with ` UTC` behind, or ISO: always UTC, always to the second. */
function timeOf(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  return text.length >= 19 ? parseUtc(text) : undefined;
}

function titleOf(row: JsonRow): string | undefined {
  const title = field(row, 'Title', 'title');
  return typeof title === 'string' && !isPlaceholder(title) ? title.trim().slice(0, TITLE_LENGTH_MAX) : undefined;
}
