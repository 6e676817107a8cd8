import type { FileSample } from '@mca/core/provider-kit';

/**
 * Base names of the watch history in the languages that were seen: English, Dutch, German, Spanish (old and new), Arabic, Turkish,
 * Chinese.
 */
const WATCHES = [
  'watch-history',
  'kijkgeschiedenis',
  'Wiedergabeverlauf',
  'historial[- ]de[- ]reproducciones',
  'سجل المشاهدة',
  '[iİ]zleme geçmişi',
  '观看记录',
];

/** My Activity tells the same and more. Every product of Google has a file of this name, so the name alone says little. */
const ACTIVITIES = ['My ?Activity', 'MeineAktivitäten', 'MiActividad', 'MijnActiviteit'];

/** The search history beside it; English, Dutch and German were seen, the others are what Google calls it on screen. */
const SEARCHES = [
  'search-history',
  'zoekgeschiedenis',
  'Suchverlauf',
  'historial[- ]de[- ]búsquedas?',
  'سجل البحث',
  'arama geçmişi',
  '搜索记录',
];

/** Tools add numbers when they split a file. */
const named = (names: readonly string[], extension: string): string =>
  `(?:${names.join('|')})(?:[- ]?\\d+)?\\.${extension}$`;

/** Known names of the watch history. */
export function namesOf(extension: 'json' | 'html'): RegExp {
  return new RegExp(`^${named(WATCHES, extension)}`, 'iu');
}

/**
 * Anything below a folder of YouTube, because in other languages the content decides; and My Activity anywhere, which is left
 * alone when it turns out to be that of another product.
 */
export function pathsOf(extension: 'json' | 'html'): RegExp {
  return new RegExp(`(?:^|[/!])(?:YouTube[^/]*/.+\\.${extension}$|${named(ACTIVITIES, extension)})`, 'u');
}

const isWatches = new RegExp(`^${named(WATCHES, '(?:json|html)')}`, 'iu');
const isActivity = new RegExp(`^${named(ACTIVITIES, '(?:json|html)')}`, 'iu');
const isSearches = new RegExp(`^${named(SEARCHES, '(?:json|html)')}`, 'iu');
const inYouTube = /(?:^|[/!])YouTube[^/]*\//u;

/** What the name of a file promises; `activity` when it may be that of any product. */
export function promiseOf({ name, path }: FileSample): 'watches' | 'activity' | 'searches' | 'nothing' {
  const plain = name.normalize('NFC');
  if (isWatches.test(plain)) return 'watches';
  if (isSearches.test(plain)) return 'searches';
  if (!isActivity.test(plain)) return 'nothing';
  return inYouTube.test(path.normalize('NFC')) ? 'watches' : 'activity';
}

/** More of the addresses than this lead to searches, and the file is a search history with a few advertisements watched. */
const SEARCH_SHARE = 0.9;

/** Whether nearly all addresses in the beginning of a file are those of searches. */
export function isMostlySearches(text: string): boolean {
  const searches = text.split('results?search_query').length - 1;
  const watches = text.split('watch?v').length + text.split('/shorts/').length - 2;
  return searches > 0 && searches >= (searches + watches) * SEARCH_SHARE;
}
