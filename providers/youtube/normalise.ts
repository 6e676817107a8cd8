import { eventId, type MediaItem, type RecordResult, type Rejected, reject, skip } from '@mca/core/provider-kit';
import type { ResolvedImportOptions } from './schemas.ts';

/** One line of the activity log, whichever format told it. */
export interface Activity {
  /** Epoch milliseconds. */
  readonly time: number;
  /** Title without the verb of the log. */
  readonly title: string;
  readonly url?: string | undefined;
  readonly channel?: string | undefined;
  readonly channelUrl?: string | undefined;
  readonly isAd: boolean;
  /** The log speaks of YouTube Music. */
  readonly isMusic: boolean;
  /** Has an address, but the log says that something else than watching was done: liked, saved, commented on. */
  readonly isOtherVerb: boolean;
  /** Has no address, but reads like a watch: what was watched is gone. */
  readonly isRemoved: boolean;
  readonly source: string;
}

/** YouTube opened in 2005. */
export const YOUTUBE_BEGAN: number = Date.UTC(2005, 0, 1);
/** Titles have 100 characters, names of channels fewer; what is longer than this is neither. */
const TEXT_LENGTH_MAX = 2_000;
const ADDRESS_LENGTH_MAX = 2_048;

/** Whether a name of a Google product is one of ours; it is the same in every language. */
export function isOwnProduct(name: unknown): boolean {
  return name === 'YouTube' || name === 'YouTube Music';
}

const VIDEO_ID = /^[A-Za-z0-9_-]{11}$/;
const CHANNEL_ID = /\/channel\/(UC[A-Za-z0-9_-]{10,30})/;

/** What became of one activity: only watches are kept, told by their address; by the verb only where it was learnt, for it is localised. */
export function itemOf(activity: Activity, { skip: rules }: ResolvedImportOptions): RecordResult {
  const problem = tooLong(activity);
  if (problem) return problem;
  if (activity.isAd && rules.ads) return skip('ad');
  if (!activity.url) {
    if (!activity.isRemoved) return skip('not_a_watch');
    return rules.removed ? skip('removed') : removedItem(activity);
  }
  const target = targetOf(activity.url);
  if ('skip' in target) return target;
  if (activity.isOtherVerb) return skip('not_a_watch');
  const { id, isShort, onMusic } = target;
  const isMusic = activity.isMusic || onMusic;
  const channelId = activity.channelUrl && CHANNEL_ID.exec(activity.channelUrl)?.[1];
  // A title that is an address is what Takeout writes when it does not know better.
  const title = activity.title === '' || /^https?:\/\//.test(activity.title) ? `YouTube video ${id}` : activity.title;
  return {
    ...basics(activity),
    externalId: eventId({ at: activity.time, content: id }),
    type: isMusic ? 'music' : 'video',
    subtype: isShort ? 'short_video' : undefined,
    title,
    creator: isMusic ? activity.channel?.replace(/ - Topic$/, '') : activity.channel,
    url: `https://${isMusic ? 'music' : 'www'}.youtube.com/watch?v=${id}`,
    contentId: id,
    ids: { youtube: id },
    rawMetadata: channelId ? { channelId } : {},
  };
}

function tooLong({ title, url, channel, channelUrl }: Activity): Rejected | undefined {
  if (title.length > TEXT_LENGTH_MAX) return reject('too_long', 'the title is longer than any', 'title');
  if (channel && channel.length > TEXT_LENGTH_MAX)
    return reject('too_long', 'the channel is longer than any', 'channel');
  const addresses = Math.max(url?.length ?? 0, channelUrl?.length ?? 0);
  return addresses > ADDRESS_LENGTH_MAX ? reject('too_long', 'an address is longer than any', 'url') : undefined;
}

function removedItem(activity: Activity): MediaItem {
  return {
    ...basics(activity),
    externalId: eventId({ at: activity.time, content: 'removed' }),
    type: activity.isMusic ? 'music' : 'video',
    title: activity.title === '' ? 'Removed video' : activity.title,
    tags: ['unavailable'],
    ids: {},
    rawMetadata: {},
  };
}

function basics({
  time,
  source,
}: Activity): Pick<MediaItem, 'platform' | 'action' | 'consumedAt' | 'tags' | 'source' | 'precision'> {
  // JSON knows fractions of a second, HTML does not; without them both tell the same event.
  const consumedAt = new Date(Math.floor(time / 1000) * 1000);
  return { platform: 'youtube', action: 'consumed', consumedAt, tags: [], source, precision: 'second' };
}

interface Target {
  readonly id: string;
  readonly isShort: boolean;
  readonly onMusic: boolean;
}

/** What an address leads to: a video, or something that is no watch. */
function targetOf(address: string): Target | { readonly skip: string } {
  // The one shape that nearly all have, without the cost of parsing an address.
  const quick = /^https:\/\/(www|music)\.youtube\.com\/watch\?v=([A-Za-z0-9_-]{11})$/.exec(address);
  if (quick?.[2]) return { id: quick[2], isShort: false, onMusic: quick[1] === 'music' };
  if (!URL.canParse(address)) return skip('not_a_watch');
  const { hostname, pathname, searchParams } = new URL(address);
  const onMusic = hostname === 'music.youtube.com';
  const onYouTube = onMusic || hostname === 'youtu.be' || /(^|\.)youtube\.com$/.test(hostname);
  if (!onYouTube) return skip(/(^|\.)(google|googleadservices|doubleclick)\./.test(hostname) ? 'ad' : 'not_a_watch');
  if (pathname === '/results') return skip('search');
  if (/^\/post\//.test(pathname)) return skip('post');
  const [, kind, last] = /^\/(shorts|live|embed|v)\/([^/]+)/.exec(pathname) ?? [];
  const id = searchParams.get('v') ?? last ?? (hostname === 'youtu.be' ? pathname.slice(1) : '');
  return VIDEO_ID.test(id) ? { id, isShort: kind === 'shorts', onMusic } : skip('not_a_watch');
}
