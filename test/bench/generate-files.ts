import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeDice } from './dice.ts';

/** Written at a time; small enough not to matter, large enough to be quick. */
const LINES_PER_WRITE = 10_000;
/** Sixteen years: Netflix streams since 2007. */
const SPAN_MS = 500_000_000_000;

/**
 * Writes a Netflix `ViewingActivity.csv` of about so many megabytes: four profiles, some thousand titles, some
 * previews, quoted titles. Does nothing when it is there.
 *
 * @returns its path and how many rows it has
 */
export function generateNetflix(folder: string, megabytes: number): { readonly path: string; readonly rows: number } {
  const { roll, below, pick, words } = makeDice(7);
  // About 5,500 titles: what a household watches, over and over.
  const episodes = Array.from({ length: 250 }, () => words(2)).flatMap((show) =>
    Array.from({ length: 20 }, (_, index) => {
      const [season, episode] = [1 + Math.floor(index / 8), 1 + (index % 8)];
      return `${show}: Season ${season}: ${words(2)} (Episode ${episode})`;
    }),
  );
  const films = Array.from({ length: 500 }, () => `${words(3)}${roll() < 0.02 ? ' ""again""' : ''}`);
  const profiles = ['Ana', 'Ben', 'Kids', 'Maria José'];
  const devices = ['Samsung 2021 TV', 'Chrome PC (Cadmium)', 'Apple iPhone 12', 'Netflix Chrome HTML 5 (Windows)'];
  const rowBytes = 145;
  const rows = Math.round((megabytes * 1_000_000) / rowBytes);
  let time = Date.UTC(2024, 5, 30);
  const line = () => {
    time -= 1_000 + below(SPAN_MS / rows) * 2;
    const start = new Date(time).toISOString().slice(0, 19).replace('T', ' ');
    const isPreview = roll() < 0.1;
    const length = `0${below(3)}:${10 + below(50)}:${10 + below(50)}`;
    const title = pick(roll() < 0.7 ? episodes : films);
    const attributes = isPreview ? '"Autoplayed: user action: None; "' : '';
    return `${pick(profiles)},${start},${length},${attributes},"${title}",${isPreview ? 'HOOK' : ''},${pick(devices)},${length},Not latest view,FR (France)\n`;
  };
  const header =
    'Profile Name,Start Time,Duration,Attributes,Title,Supplemental Video Type,Device Type,Bookmark,Latest Bookmark,Country\n';
  return { path: writeLines(folder, 'ViewingActivity.csv', header, rows, line, ''), rows };
}

/**
 * Writes a YouTube `watch-history.json` of Takeout. Does nothing when it is there.
 *
 * @returns its path
 */
export function generateYouTube(folder: string, rows: number): string {
  const { roll, below, id, words } = makeDice(11);
  const channels = Array.from({ length: 2_000 }, () => ({
    name: words(2),
    url: `https://www.youtube.com/channel/UC${id(22)}`,
  }));
  let time = Date.UTC(2024, 5, 30);
  let left = rows;
  const line = () => {
    left -= 1;
    time -= 1_000 + below(600_000);
    const channel = channels[Math.floor(channels.length * roll() ** 2)] as (typeof channels)[number];
    const row = {
      header: roll() < 0.2 ? 'YouTube Music' : 'YouTube',
      title: `Watched ${words(5)}`,
      titleUrl: `https://www.youtube.com/watch?v=${id(11)}`,
      subtitles: [channel],
      time: new Date(time).toISOString(),
      products: ['YouTube'],
      activityControls: ['YouTube watch history'],
    };
    // Takeout indents by two and writes `=` as an escape.
    const text = JSON.stringify(row, undefined, 2).replaceAll('=', '\\u003d');
    return `${text}${left > 0 ? ',' : ''}`;
  };
  return writeLines(folder, 'watch-history.json', '[', rows, line, ']');
}

function writeLines(
  folder: string,
  name: string,
  head: string,
  count: number,
  line: () => string,
  tail: string,
): string {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const file = openSync(`${path}.part`, 'w');
  writeSync(file, head);
  for (let done = 0; done < count; done += LINES_PER_WRITE) {
    writeSync(file, Array.from({ length: Math.min(LINES_PER_WRITE, count - done) }, line).join(''));
  }
  writeSync(file, tail);
  closeSync(file);
  renameSync(`${path}.part`, path);
  return path;
}
