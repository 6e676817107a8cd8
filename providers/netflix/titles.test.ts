import { expect, test } from 'vitest';
import { asEpisodeOf, parseTitle } from './titles.ts';

type Row = readonly [raw: string, show: string | undefined, season: number | undefined, title: string];

// Real titles, from the test files of other importers; ellipses filled with invented names.
const episodes: readonly Row[] = [
  ['Breaking Bad: Season 3: Fly', 'Breaking Bad', 3, 'Fly'],
  ['Psych: Season 1: Pilot: Part 2', 'Psych', 1, 'Pilot: Part 2'],
  ['Big Mouth: Season 8: Lola Skumpy: License to Drive', 'Big Mouth', 8, 'Lola Skumpy: License to Drive'],
  ['Criminal: UK: Season 2: Julia (Episode 1)', 'Criminal: UK', 2, 'Julia'],
  ['Age of Samurai: Battle for Japan: Limited Series: The Rise', 'Age of Samurai: Battle for Japan', 1, 'The Rise'],
  ['Haus des Geldes: Teil 5: Wunschdenken', 'Haus des Geldes', 5, 'Wunschdenken'],
  ['Haus des Geldes: Staffel 2 – Teil B: Spanien', 'Haus des Geldes', 2, 'Spanien'],
  ['The OA: Part II: Chapter 8: Overview', 'The OA', 2, 'Chapter 8: Overview'],
  [
    'Stranger Things: Stranger Things 4: Chapter Nine: The Piggyback',
    'Stranger Things',
    4,
    'Chapter Nine: The Piggyback',
  ],
  ['Barbarians: Barbarians II: Outcast (Episode 1)', 'Barbarians', 2, 'Outcast'],
  ['Wanderlust:  1: Bodies', 'Wanderlust', 1, 'Bodies'],
  ['The Snow Girl: 1. The Snow Girl: Episode 3', 'The Snow Girl', 1, 'Episode 3'],
  ['Hollow: Volume 4: Chapter VIII', 'Hollow', 4, 'Chapter VIII'],
  ['Hollow: Series 1: Dawn', 'Hollow', 1, 'Dawn'],
  ['Hollow: Miniseries: Dawn', 'Hollow', 1, 'Dawn'],
  ['Hollow: Collection: Dawn', 'Hollow', undefined, 'Dawn'],
  ['Hollow: Collection 3: Dawn', 'Hollow', 3, 'Dawn'],
  ['Lupin\u00a0: Saison 2\u00a0: Chapitre 6', 'Lupin', 2, 'Chapitre 6'],
  ['Elite: Temporada 4: Nuevos (Episodio 2)', 'Elite', 4, 'Nuevos'],
  ['Undercover: Seizoen 1: De start', 'Undercover', 1, 'De start'],
  ['Suburra: Stagione 3: Fine', 'Suburra', 3, 'Fine'],
  ['Young Royals: Säsong 2: Hem', 'Young Royals', 2, 'Hem'],
  ['1670: Sezon 1: Start', '1670', 1, 'Start'],
  ['Pantanal: Minissérie: Início', 'Pantanal', 1, 'Início'],
];

test.each(episodes)('%s is an episode', (raw, show, season, title) => {
  expect(parseTitle(raw)).toMatchObject({ show, season, title, kind: 'episode', confidence: 'high' });
});

test.each([
  ['Haus des Geldes: Staffel 2 – Teil B: Spanien', { season: 2, part: 'Teil B' }],
  ['Criminal: UK: Season 2: Julia (Episode 1)', { episode: 1, full: 'Criminal: UK: Season 2: Julia' }],
  ['Dark: Staffel 1: Lügen (Folge\u00a012)', { episode: 12, full: 'Dark: Staffel 1: Lügen' }],
  ['Hollow: Book B: Dawn', { season: undefined, part: 'B' }],
  ['Hollow: Part IV: Dawn', { season: 4, part: undefined }],
  ['Hollow: Season 2: Two (Episode two)', { episode: undefined, full: 'Hollow: Season 2: Two' }],
])('%s has details', (raw, details) => {
  expect(parseTitle(raw)).toMatchObject(details);
});

test.each([
  ['King Arthur: Legend of the Sword', undefined, 'low'],
  ['Spider-Man: Far from Home', undefined, 'low'],
  ['Mockingjay: Part 1', undefined, 'low'],
  ['The Hunger Games: Mockingjay: Part 1', undefined, 'low'],
  ['Stranger Things: Chapter One: The Vanishing', undefined, 'low'],
  ['World at War: 1944: Hope', undefined, 'low'],
  ['Okja', 'movie', 'medium'],
  ['Blue Door (Episode 1)', 'episode', 'medium'],
])('%s is not taken for an episode of a season', (raw, kind, confidence) => {
  const { full, title, ...rest } = parseTitle(raw);
  expect(title).toBe(full);
  expect(rest).toMatchObject({ kind, confidence, show: undefined, season: undefined });
});

test('a show that has seasons elsewhere makes episodes of unclear titles, without changing their title', () => {
  const shows = new Set(['Stranger Things', 'Criminal: UK']);
  const title = 'Stranger Things: Chapter One: The Vanishing';
  expect(asEpisodeOf(parseTitle(title), shows)).toMatchObject({
    show: 'Stranger Things',
    kind: 'episode',
    confidence: 'medium',
    title,
  });
  expect(asEpisodeOf(parseTitle('Criminal: UK: The Room'), shows)).toMatchObject({
    show: 'Criminal: UK',
    kind: 'episode',
  });
  expect(asEpisodeOf(parseTitle('King Arthur: Legend of the Sword'), shows).kind).toBeUndefined();
});

test('one view has one title in both formats, whatever else they say', () => {
  for (const short of [
    'Sand Hill: Season 2: The Long Road',
    'Sand Hill: The First Step',
    'Sand Hill',
    'Lupin\u00a0: Chapitre 1',
  ]) {
    const full = `${short.replace('\u00a0', ' ')} (Episode 3)`;
    expect(parseTitle(full).title).toBe(parseTitle(short).title);
    expect(parseTitle(full).full).toBe(parseTitle(short).full);
  }
});

test.each([':', ': ', ': : :', ' : a', '(Episode 1)', 'A: Season 1:', 'A: Season 1: : B', ': Season 1: x', '\u202f'])(
  'the odd title %j does not throw, and keeps a title where it has one',
  (raw) => {
    const parsed = parseTitle(raw);
    expect(parsed.title === '').toBe(raw.trim() === '');
    expect(parsed.show).not.toBe('');
  },
);
