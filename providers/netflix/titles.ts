/** What a Netflix title says about the thing watched. */
export interface NetflixTitle {
  /** The whole title in the form both formats share: plain spaces, no ` (Episode 3)` at its end. Names the content. */
  readonly full: string;
  /** Title of the episode where a season gives it away, else {@link full}. Depends on nothing but {@link full}. */
  readonly title: string;
  readonly show: string | undefined;
  /** 1 for limited series. */
  readonly season: number | undefined;
  /** Half of a season: `Teil B`, or the letter of `Book B`. */
  readonly part: string | undefined;
  /** Number of the episode within its season; only the full format has it. */
  readonly episode: number | undefined;
  /** Absent when a film and an episode look the same: `King Arthur: Legend of the Sword`. */
  readonly kind: 'episode' | 'movie' | undefined;
  readonly confidence: 'high' | 'medium' | 'low';
}

// English, German and Spanish were seen in exports, the other languages are what their Netflix shows on screen.
// `Chapter` is missing on purpose: it begins the names of episodes.
const SEASON_WORDS =
  'Season|Series|Part|Volume|Book|Collection|Limited Series|Miniseries|Staffel|Teil|Miniserie|Saison|Partie|Mini-série|' +
  'Temporada|Parte|Stagione|Minissérie|Seizoen|Deel|Säsong|Sezon|Część';
const seasonSegment = new RegExp(
  `^(?<word>${SEASON_WORDS})(?: (?<number>\\d+|[IVXL]+|[A-Z]))?(?: [–-] (?<half>.+))?$`,
  'i',
);
const numberSegment = /^(?<number>\d{1,2})\.?(?: .*)?$/;
// Without the spaces in front: a pattern that begins with any number of them is quadratic in a title full of spaces.
const episodeSuffix = /\((?:Episode|Folge|Épisode|Episodio|Episódio|Aflevering|Avsnitt|Odcinek) (?<number>\w+)\)$/i;
const separator = /\s?:\s/;
const wordsForOne = /^(?:limited series|mini-?s[ée]ries?|miniss[ée]rie)$/i;

/** Names of shows have colons, too, but never this many. */
const SHOW_SEGMENTS_MAX = 8;

/** Reads a title by Netflix's grammar, `Show: Season 2: Episode`. Never throws; whatever it cannot tell stays undefined. */
export function parseTitle(raw: string): NetflixTitle {
  const spaced = raw
    .replace(/[\u00a0\u202f]/g, ' ')
    .trim()
    .normalize('NFC');
  const suffix = episodeSuffix.exec(spaced);
  const full = (suffix ? spaced.slice(0, suffix.index).trimEnd() : spaced) || spaced;
  const number = suffix?.groups?.number ?? '';
  const episode = /^\d{1,4}$/.test(number) ? Number(number) : undefined;
  const segments = full.split(separator);
  const at = findSeason(segments);
  if (at !== undefined) {
    const show = segments.slice(0, at).join(': ').trim() || undefined;
    const title = segments
      .slice(at + 1)
      .join(': ')
      .trim();
    return {
      full,
      title,
      show,
      ...seasonOf(segments[at] ?? '', segments[0] ?? ''),
      episode,
      kind: 'episode',
      confidence: 'high',
    };
  }
  const unknown = { full, title: full, season: undefined, part: undefined, episode };
  // The title stays whole here although it ends in an episode's name: the short format has no suffix to know it by,
  // and one view must have one title in both.
  if (suffix) {
    const show = segments.length > 1 ? segments[0] || undefined : undefined;
    return { ...unknown, show, kind: 'episode', confidence: 'medium' };
  }
  const isFilm = segments.length === 1;
  return { ...unknown, show: undefined, kind: isFilm ? 'movie' : undefined, confidence: isFilm ? 'medium' : 'low' };
}

/**
 * Takes an unclear title for an episode when its beginning is a show that has seasons elsewhere in the same file.
 * Only what the title is taken for changes, never {@link NetflixTitle.title}: another file may not know the show.
 */
export function asEpisodeOf(title: NetflixTitle, shows: ReadonlySet<string>): NetflixTitle {
  if (title.confidence === 'high') return title;
  const segments = title.full.split(separator);
  for (let length = Math.min(segments.length - 1, SHOW_SEGMENTS_MAX); length > 0; length -= 1) {
    const show = segments.slice(0, length).join(': ').trim();
    if (shows.has(show)) return { ...title, show, kind: 'episode', confidence: 'medium' };
  }
  return title;
}

/** Index of the segment that names the season; the last segment cannot (`Mockingjay: Part 1` is a film). */
function findSeason(segments: readonly string[]): number | undefined {
  const last = segments.length - 1;
  for (let index = 1; index < last; index += 1) {
    if (seasonSegment.test((segments[index] ?? '').trim())) return index;
  }
  for (let index = 1; index < last; index += 1) {
    const segment = (segments[index] ?? '').trim();
    if (numberSegment.test(segment) || numberAfterShow(segment, segments[0] ?? '') !== undefined) return index;
  }
  return undefined;
}

function seasonOf(segment: string, show: string): Pick<NetflixTitle, 'season' | 'part'> {
  const trimmed = segment.trim();
  const { word = '', number, half } = seasonSegment.exec(trimmed)?.groups ?? {};
  if (word === '') {
    const plain = numberSegment.exec(trimmed)?.groups?.number;
    return { season: plain ? Number(plain) : numberAfterShow(trimmed, show), part: undefined };
  }
  const season = number === undefined ? undefined : toNumber(number);
  if (season !== undefined) return { season, part: half };
  return { season: wordsForOne.test(word) ? 1 : undefined, part: half ?? number };
}

/** `Stranger Things 4`, `Barbarians II`: the season is the show's name with a number. */
function numberAfterShow(segment: string, show: string): number | undefined {
  return segment.startsWith(`${show} `) ? toNumber(segment.slice(show.length + 1)) : undefined;
}

const romanDigits: Readonly<Record<string, number>> = { I: 1, V: 5, X: 10, L: 50 };

function toNumber(text: string): number | undefined {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  if (!/^[IVXL]{1,7}$/i.test(text)) return undefined;
  const digits = [...text.toUpperCase()].map((letter) => romanDigits[letter] ?? 0);
  return digits.reduce((sum, digit, index) => sum + (digit < (digits[index + 1] ?? 0) ? -digit : digit), 0);
}
