import type { FileSample } from '@mca/core/provider-kit';
import type { ResolvedTikTokOptions } from './schemas.ts';

/** A part of the export that becomes items. */
export type Section = keyof ResolvedTikTokOptions['sections'];

/**
 * Where each section lies, the preferred place first. TikTok moved sections between roots and renamed them, one at a
 * time, so every section is looked for on its own. Names are compared without case.
 */
const places: Readonly<Record<Section, readonly string[]>> = {
  watch: [
    'your activity/watch history/videolist',
    'your activity/video browsing history/videolist',
    'activity/watch history/videolist',
    'activity/video browsing history/videolist',
  ],
  likes: [
    'likes and favorites/like list/itemfavoritelist',
    'your activity/like list/itemfavoritelist',
    'activity/like list/itemfavoritelist',
  ],
  favorites: [
    'likes and favorites/favorite videos/favoritevideolist',
    'your activity/favorite videos/favoritevideolist',
    'activity/favorite videos/favoritevideolist',
  ],
  live: ['tiktok live/watch live history/watchlivemap'],
};

const sectionAt: ReadonlyMap<string, Section> = new Map(
  (Object.keys(places) as Section[]).flatMap((section) => places[section].map((place) => [place, section] as const)),
);
const PLACE_DEPTH = 3;

const placeOf = (path: readonly string[]): string => path.join('/').toLowerCase();

/** The section whose records lie at this path. All else in the file (messages, searches, own posts) is never read. */
export function sectionOf(path: readonly string[]): Section | undefined {
  return path.length === PLACE_DEPTH ? sectionAt.get(placeOf(path)) : undefined;
}

/** Decides which of several lists of one section counts. */
export interface SectionChoice {
  /** Notes that a list holds records. */
  found(path: readonly string[]): void;
  /** Whether this list is the preferred one of those found: the same section under two roots counts once. */
  isChosen(path: readonly string[]): boolean;
  readonly isEmpty: boolean;
}

/** Makes the choice for one file. A list without records never wins: the first one **with data** does. */
export function sectionChoice(): SectionChoice {
  const chosen = new Map<Section, string>();
  return {
    found(path) {
      const section = sectionOf(path);
      if (!section) return;
      const place = placeOf(path);
      const before = chosen.get(section);
      const order = places[section];
      if (before === undefined || order.indexOf(place) < order.indexOf(before)) chosen.set(section, place);
    },
    isChosen(path) {
      const section = sectionOf(path);
      return section !== undefined && chosen.get(section) === placeOf(path);
    },
    get isEmpty() {
      return chosen.size === 0;
    },
  };
}

/** Root keys that only a TikTok export has. */
const ownRoots =
  /"(?:Your Activity|Likes and Favorites|Tik[Tt]ok (?:Live|Shop|Shopping)|Income\+ Wallet|Profile And Settings|Ads and data|Location Review)"\s*:/;
/** Root keys that other services might have, too. */
const sharedRoots = /^(?:Activity|App Settings|Comment|Direct Messages?|Post|Profile|Video)$/;

/** Whether a key of the root is one that TikTok is known to use. */
export function isKnownRoot(key: string): boolean {
  return ownRoots.test(`"${key}":`) || sharedRoots.test(key);
}

/** How sure the beginning of a file is that of a TikTok export. */
export function recognise(sample: FileSample): number {
  const text = sample.text.trimStart();
  if (!text.startsWith('{')) return 0;
  if (ownRoots.test(text)) return 0.95;
  const firstKey = /^\{\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  if (firstKey !== undefined && isKnownRoot(firstKey)) return /video|tiktok/i.test(text) ? 0.8 : 0.5;
  // A root that nobody knows yet may come first and be long; the name says enough to have a look.
  return /^user_data(?:_tiktok)?\b.*\.json$/i.test(sample.name) ? 0.5 : 0;
}
