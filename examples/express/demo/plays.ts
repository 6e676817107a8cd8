import type { FakePlay } from '@mca/core/testing';

const DAY_MS = 86_400_000;
const YEARS = 5;
const FIRST = ['Hollow', 'Silver', 'Distant', 'Quiet', 'Golden', 'Paper', 'Northern', 'Velvet', 'Slow', 'Little'];
const SECOND = ['Orchard', 'Foxes', 'Lanterns', 'Rooms', 'Sparrows', 'Harbour', 'Machines', 'Weather'];
const VERBS = ['Leaving', 'Sleeping', 'Waiting', 'Counting', 'Dancing', 'Falling', 'Walking', 'Singing'];
const PLACES = ['in the Dark', 'in the Attic', 'in the Rain', 'on the Roof', 'by the Sea', 'until Tomorrow', 'Again'];

/** Some three or four plays a day for years, more in winter. The same every time but for the day they end on. */
export function yearsOfPlays(now: number): readonly FakePlay[] {
  const random = dice(20_240_229);
  const today = Math.floor(now / DAY_MS);
  const plays: FakePlay[] = [];
  for (let day = today - YEARS * 365; day < today; day += 1) {
    const month = new Date(day * DAY_MS).getUTCMonth();
    const mood = 1 + 0.45 * Math.cos((month / 6) * Math.PI) + 0.35 * Math.sin(day / 190);
    const count = Math.floor(mood * 7 * random());
    for (let index = 0; index < count; index += 1) {
      // Squared: some artists, and some of their songs, are played far more than others.
      const artist = Math.floor(random() ** 2 * FIRST.length * SECOND.length);
      const song = Math.floor(random() ** 2 * 24);
      plays.push({
        id: `play-${day}-${index}`,
        playedAt: day * DAY_MS + (7 * 60 + index * 61 + Math.floor(random() * 50)) * 60_000,
        title: `${VERBS[(artist + song * 3) % VERBS.length]} ${PLACES[(artist * 5 + song) % PLACES.length]}`,
        artist: `${FIRST[(artist * 7) % FIRST.length]} ${SECOND[Math.floor(artist / FIRST.length)]}`,
      });
    }
  }
  return plays;
}

/** Chance that is the same every time (mulberry32). */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
