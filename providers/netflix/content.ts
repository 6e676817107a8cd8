import { contentHash, type Json } from '@mca/core/provider-kit';
import { asEpisodeOf, parseTitle } from './titles.ts';

/** What all views of one title share. */
export interface Content {
  /** 16 hexadecimal digits of the SHA-256 of the whole title. Netflix gives no ids. */
  readonly id: string;
  readonly title: string;
  readonly creator: string | undefined;
  readonly subtype: 'tv_episode' | 'movie' | undefined;
  readonly isTrailer: boolean;
  readonly metadata: Readonly<Record<string, Json>>;
}

/** Distinct titles remembered; one household watches a few thousand. */
const TITLES_MAX = 20_000;
/** No title is longer; a longer one is a missing quote. */
export const TITLE_LENGTH_MAX = 1000;

// Machine names of previews, and the words Netflix puts before or into the titles of promotional clips.
const trailerName =
  /_hook_|_CLIP_|_backfill|(?:^|: )(?:(?:Season \d+ )?(?:(?:Teaser|Official) )?Trailer|Clip)(?: \d+)?: /;

/** Names of shows that have a season somewhere in the file: evidence for titles without one. */
export interface ShowCollector {
  add(rawTitle: string): void;
  readonly shows: ReadonlySet<string>;
}

/** Collects shows in the first pass over a file. Bounded: beyond 20,000 shows no further ones are learned. */
export function showCollector(): ShowCollector {
  const shows = new Set<string>();
  let seen = new Set<string>();
  return {
    shows,
    add(rawTitle) {
      // First of all: what is too long is no title, and 20,000 of them would fill the memory.
      if (rawTitle.length > TITLE_LENGTH_MAX || seen.has(rawTitle)) return;
      if (seen.size >= TITLES_MAX) seen = new Set();
      seen.add(rawTitle);
      if (shows.size >= TITLES_MAX) return;
      const { confidence, show } = parseTitle(rawTitle);
      if (confidence === 'high' && show) shows.add(show);
    },
  };
}

/**
 * Makes the look-up from a title as it stands in the file to its {@link Content}. Titles repeat, and hashing and
 * parsing one costs more than reading its row, so the last few thousand are remembered.
 */
export function contentReader(shows: ReadonlySet<string>): (rawTitle: string) => Content {
  const known = new Map<string, Content>();
  return (rawTitle) => {
    const before = known.get(rawTitle);
    if (before) return before;
    if (known.size >= TITLES_MAX) known.clear();
    const content = toContent(rawTitle, shows);
    known.set(rawTitle, content);
    return content;
  };
}

function toContent(rawTitle: string, shows: ReadonlySet<string>): Content {
  const { full, title, show, season, part, episode, kind, confidence } = asEpisodeOf(parseTitle(rawTitle), shows);
  const metadata: Record<string, Json> = { rawTitle, confidence };
  if (season !== undefined) metadata.season = season;
  if (part !== undefined) metadata.part = part;
  if (episode !== undefined) metadata.episode = episode;
  return {
    id: contentHash(full),
    title,
    creator: show,
    subtype: kind === 'episode' ? 'tv_episode' : kind,
    isTrailer: trailerName.test(full),
    metadata: Object.freeze(metadata),
  };
}
