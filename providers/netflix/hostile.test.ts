import { collectImport, fileOf } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { splitDate } from './dates.ts';
import { netflix } from './index.ts';
import { asEpisodeOf, parseTitle } from './titles.ts';

const capability = netflix().capabilities.fileImport;
/** A hang guard; each takes a few milliseconds. */
const HANGS_AFTER_MS = 2_000;

async function inTime(work: () => unknown): Promise<void> {
  const startedAt = performance.now();
  await work();
  expect(performance.now() - startedAt).toBeLessThan(HANGS_AFTER_MS);
}

describe('input that was quadratic', () => {
  test.each([
    ['commas', `${','.repeat(40_000)}\n`],
    ['semicolons', `${';'.repeat(40_000)}\n`],
    ['quoted cells', `${'"",'.repeat(20_000)}\n`],
    ['commas below a header', `Title,Date\n${','.repeat(60_000)}\n`],
    ['quotes below a header', `Title,Date\n${'"'.repeat(60_000)}\n`],
  ])('%s', async (_what, content) => {
    await inTime(async () => {
      const { items } = await collectImport(capability, [fileOf('NetflixViewingHistory.csv', content)]);
      expect(items).toEqual([]);
      await capability.recognise(fileOf('x.csv', content));
    });
  });

  test.each([' ', ': ', '(Episode ', '\u00a0', 'Season 1: ', 'X'])('a title of %j', async (part) => {
    const title = `a${part.repeat(256 * 1024)}x`;
    await inTime(() => parseTitle(title));
    const short = parseTitle(`a${part.repeat(1_000 / part.length)}x`);
    await inTime(() => {
      for (let count = 0; count < 2_000; count += 1) asEpisodeOf(short, new Set(['b']));
    });
  });

  test('a date of spaces and digits', () =>
    inTime(() => {
      for (const part of [' ', '1', '/', '1/']) expect(splitDate(part.repeat(256 * 1024))).toBeUndefined();
    }));

  test('a line that arrives in small pieces', () =>
    inTime(() =>
      collectImport(capability, [
        fileOf(
          'ViewingActivity.csv',
          `Profile Name,Start Time,Duration,Attributes,Title,Supplemental Video Type\n${'a'.repeat(512 * 1024)}`,
          1_024,
        ),
      ]),
    ));
});

describe('dates that cannot be', () => {
  test.each(['1/1/2099', '1/13/1999', '1/13/1000'])('viewing history: %s', async (date) => {
    const rows = ['"Blue Door","1/14/2024"', `"Green Gate","${date}"`];
    const { items, rejected } = await collectImport(capability, [
      fileOf('NetflixViewingHistory.csv', ['Title,Date', ...rows].join('\n')),
    ]);
    expect(items).toHaveLength(1);
    expect(rejected).toMatchObject([{ record: 2, line: 3, field: 'Date', reason: 'implausible_date' }]);
  });

  test('a rating of 2099 is rejected, and supersedes nothing', async () => {
    const rows = ['Ana,Blue Door,,2,2024-01-01 10:00:00', 'Ana,Blue Door,,1,2099-01-01 10:00:00'];
    const { items, rejected } = await collectImport(capability, [
      fileOf('Ratings.csv', ['Profile Name,Title Name,Star Value,Thumbs Value,Event Utc Ts', ...rows].join('\n')),
    ]);
    expect(items).toMatchObject([{ rating: 8 }]);
    expect(rejected).toMatchObject([{ record: 2, field: 'Event Utc Ts', reason: 'implausible_date' }]);
  });
});
