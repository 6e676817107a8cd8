/** How a language frames the title of a watch: `Watched How to Tie a Knot`, `How to Tie a Knot angesehen`. */
export interface Verb {
  readonly prefix: string;
  readonly suffix: string;
}

/** Seen in exports: English (and Chinese), German, Dutch, Spanish. */
const KNOWN: readonly Verb[] = [
  { prefix: 'Watched ', suffix: '' },
  { prefix: '', suffix: ' angesehen' },
  { prefix: '', suffix: ' bekeken' },
  { prefix: 'Has visto ', suffix: '' },
];

/** Watches looked at to learn the verb of the language. */
export const TITLES_LOOKED_AT = 500;
/** No title is longer; a longer one teaches nothing. */
const TITLE_LENGTH_MAX = 2_000;
/** My Activity tells of likes and comments, too, so not all titles of watched addresses carry the verb. */
const CLEAR_MAJORITY = 0.6;

/** Fewer different titles than this may share words by chance, and those would be cut off. */
const TITLES_TO_LEARN_FROM = 20;

/**
 * The verb of a log, from the titles of some watches: a known one that most carry (of a few titles, all), else the words
 * that all share. When neither is safe, nothing is cut off.
 */
export function learnVerb(titles: readonly string[]): Verb {
  const plain = [...new Set(titles.filter(({ length }) => length <= TITLE_LENGTH_MAX).map(unbroken))];
  const enough = plain.length >= TITLES_TO_LEARN_FROM ? plain.length * CLEAR_MAJORITY : Math.max(plain.length, 1);
  const known = KNOWN.find((verb) => plain.filter((title) => stripped(title, verb) !== undefined).length >= enough);
  if (known) return known;
  if (plain.length < TITLES_TO_LEARN_FROM) return { prefix: '', suffix: '' };
  const [first = ''] = plain;
  let start = first.length;
  let end = first.length;
  for (const title of plain) {
    start = Math.min(start, sharedStart(first, title));
    end = Math.min(end, sharedEnd(first, title));
  }
  // Whole words only: titles that all begin with the same letter share no verb.
  const prefix = first.slice(0, start);
  const suffix = first.slice(first.length - end);
  return {
    prefix: prefix.slice(0, prefix.lastIndexOf(' ') + 1),
    suffix: suffix.includes(' ') ? suffix.slice(suffix.indexOf(' ')) : '',
  };
}

/** The title without the verb, or `undefined` when neither this verb nor another known one is there. */
export function withoutVerb(title: string, verb: Verb): string | undefined {
  const plain = unbroken(title);
  const own = stripped(plain, verb);
  if (own !== undefined) return own;
  // Logs in two languages may have been joined.
  for (const known of KNOWN) {
    const other = stripped(plain, known);
    if (other !== undefined) return other;
  }
  return undefined;
}

function stripped(plain: string, { prefix, suffix }: Verb): string | undefined {
  if (!plain.startsWith(prefix) || !plain.endsWith(suffix) || plain.length < prefix.length + suffix.length)
    return undefined;
  return plain.slice(prefix.length, plain.length - suffix.length).trim();
}

/** Some languages put a no-break space after the verb. */
function unbroken(title: string): string {
  return title.includes('\u00a0') ? title.replaceAll('\u00a0', ' ') : title;
}

function sharedStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1;
  return length;
}

function sharedEnd(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[a.length - 1 - length] === b[b.length - 1 - length]) length += 1;
  return length;
}
