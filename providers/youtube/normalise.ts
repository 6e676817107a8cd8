import { eventId, type MediaItem, type RecordResult, skip } from '@mca/core/provider-kit';
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
  /** Has no address, but reads like a watch: what was watched is gone. */
  readonly isRemoved: boolean;
  readonly source: string;
}

const VIDEO_ID = /^[A-Za-z0-9_-]{11}$/;
const CHANNEL_ID = /\/channel\/(UC[A-Za-z0-9_-]{10,30})/;

/** What became of one activity: only watches are kept, told by their address and never by a verb, which is localised. */
export function itemOf(activity: Activity, { skip: rules }: ResolvedImportOptions): RecordResult {
  if (activity.isAd && rules.ads) return skip('ad');
  if (!activity.url) {
    if (!activity.isRemoved) return skip('not_a_watch');
    return rules.removed ? skip('removed') : removedItem(activity);
  }
  const target = targetOf(activity.url);
  if ('skip' in target) return target;
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
