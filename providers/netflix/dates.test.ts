import { McaError } from '@mca/core/provider-kit';
import { describe, expect, test } from 'vitest';
import { recordFigure } from '../../test/support/reliability.ts';
import { dateEvidence } from './date-order.ts';
import { type DateOrder, dayOf, lastPossibleDay, splitDate } from './dates.ts';

const now = Date.UTC(2026, 10, 21, 15);

function decide(rows: readonly string[], dateOrder?: DateOrder, allowAmbiguous = false) {
  const evidence = dateEvidence('NetflixViewingHistory.csv', 'Date', lastPossibleDay(now));
  for (const [index, row] of rows.entries()) evidence.add(row, { record: index + 1, line: index + 2 });
  return evidence.decide({ dateOrder, allowAmbiguous });
}

function failureOf(work: () => unknown): McaError {
  try {
    work();
  } catch (error) {
    if (McaError.isInstance(error)) return error;
  }
  throw new Error('Expected an McaError.');
}

describe('the order of day and month', () => {
  test.each([
    ['1/2/24, 2/1/24', 'DMY'],
    ['5/4/24, 6/3/24', 'DMY'],
    ['11/3/24, 10/4/24, 9/5/24', 'MDY'],
    ['13/1/24, 2/1/24', 'DMY'],
    ['1/13/24, 1/2/24', 'MDY'],
    ['2/12/26', 'MDY'],
    ['1/2/24, 3/2/24, 2/5/24', 'DMY'],
  ])('%s is %s', (rows, order) => {
    expect(decide(rows.split(', ')).order).toBe(order);
  });

  test('3/2/24, 1/2/24 is refused, naming the option', () => {
    const error = failureOf(() => decide(['3/2/24', '1/2/24']));
    expect(error).toMatchObject({ code: 'file_parse_error', reason: 'ambiguous_date', position: { field: 'Date' } });
    expect(error.hint).toContain("dateOrder: 'MDY'");
    expect(error.hint).toContain("'DMY'");
  });

  test('the option decides what the file does not', () => {
    expect(decide(['3/2/24', '1/2/24'], 'DMY')).toMatchObject({ order: 'DMY', warnings: [] });
    expect(decide(['3/2/24', '1/2/24'], 'MDY')).toMatchObject({ order: 'MDY', warnings: [] });
    expect(decide(['24/9/3', '24/9/2'], 'YMD').order).toBe('YMD');
  });

  test('allowAmbiguous imports as month/day/year and warns', () => {
    const reading = decide(['3/2/24', '1/2/24'], undefined, true);
    expect(reading.order).toBe('MDY');
    expect(reading.warnings).toHaveLength(1);
  });

  test('little evidence warns; the option beats it', () => {
    expect(decide(['5/4/24', '6/3/24']).warnings[0]).toContain('little evidence');
    expect(decide(['5/4/24', '6/3/24'], 'MDY')).toMatchObject({ order: 'MDY' });
    expect(decide(['5/4/24', '6/3/24'], 'MDY').warnings[0]).toContain('suggests day/month/year');
    expect(decide(['13/1/24', '2/1/24']).warnings).toEqual([]);
  });

  test('much evidence beats the option, with a warning', () => {
    const rows = ['11/3/24', '10/4/24', '9/5/24', '8/6/24', '7/7/24', '6/8/24'];
    expect(decide(rows)).toMatchObject({ order: 'MDY', warnings: [] });
    const reading = decide(rows, 'DMY');
    expect(reading.order).toBe('MDY');
    expect(reading.warnings[0]).toContain('out of sequence');
    expect(decide(['13/1/24', '2/1/24'], 'MDY')).toMatchObject({
      order: 'DMY',
      warnings: [expect.stringContaining('impossible')],
    });
  });

  test('mixed orders are refused at the row that shows it', () => {
    const error = failureOf(() => decide(['1/13/24', '1/2/24', '25/12/23']));
    expect(error).toMatchObject({
      code: 'file_parse_error',
      reason: 'ambiguous_date',
      position: { record: 3, line: 4, field: 'Date' },
    });
    expect(failureOf(() => decide(['2024-01-05', '2024-25-01'])).reason).toBe('ambiguous_date');
  });

  test('rows that are no date in any order prove nothing', () => {
    expect(decide(['2/30/24', '99/99/24', 'x', '13/1/24', '2/1/24']).order).toBe('DMY');
    expect(decide(['25/12/26', '1/13/24']).order).toBe('MDY');
  });
});

test('R-061 twelve locales: each is read right or refused, none is guessed', () => {
  // Twice 25 October 2024, then 3 September 2024, as twelve profiles write them.
  const days = [Date.UTC(2024, 9, 25), Date.UTC(2024, 9, 25), Date.UTC(2024, 8, 3)];
  const locales: Readonly<Record<string, readonly string[]>> = {
    'en-US': ['10/25/24', '10/25/24', '9/3/24'],
    'en-US padded': ['10/25/2024', '10/25/2024', '09/03/2024'],
    'en-GB': ['25/10/2024', '25/10/2024', '03/09/2024'],
    'fr-FR': ['25/10/24', '25/10/24', '03/09/24'],
    'es-ES': ['25/10/24', '25/10/24', '3/9/24'],
    'de-DE': ['25.10.24', '25.10.24', '03.09.24'],
    'pl-PL': ['25.10.2024', '25.10.2024', '3.9.2024'],
    'sv-SE': ['2024-10-25', '2024-10-25', '2024-09-03'],
    'nl-NL': ['25-10-2024', '25-10-2024', '03-09-2024'],
    'ja-JP': ['2024/10/25', '2024/10/25', '2024/09/03'],
    'ko-KR': ['2024. 10. 25.', '2024. 10. 25.', '2024. 9. 3.'],
  };
  let right = 0;
  for (const rows of Object.values(locales)) {
    const { order, shape } = decide(rows);
    const read = rows.map((row) => {
      const parts = splitDate(row);
      return parts?.shape === shape ? dayOf(parts, order) : undefined;
    });
    expect(read).toEqual(days);
    right += 1;
  }
  // Twelfth: Thai digits and Buddhist years were never seen in a file; nobody guesses them.
  expect(failureOf(() => decide(['๒๕/๑๐/๒๕๖๗', '๓/๙/๒๕๖๗'])).reason).toBe('unknown_date_format');
  expect(failureOf(() => decide(['25/10/2567', '3/9/2567'])).reason).toBe('unknown_date_format');
  recordFigure('R-061', `${right} locale files read exactly, 1 (Thai) refused, 0 silent guesses`);
});

test.each([
  ['2/30/24', 'MDY'],
  ['30/2/24', 'DMY'],
  ['2/29/23', 'MDY'],
  ['13/1/24', 'MDY'],
  ['0/1/24', 'MDY'],
  ['1/0/24', 'MDY'],
  ['1/1/06', 'MDY'],
  ['1/1/1924', 'MDY'],
] as const)('R-061 %s (%s) is no date', (text, order) => {
  const parts = splitDate(text);
  expect(parts && dayOf(parts, order)).toBeUndefined();
});

test.each([
  '',
  '9/3',
  '9/3/24/1',
  '9-3/24',
  '9/3/124',
  '9/3/24 20:15',
  'Sept 3, 24',
  '9/3/24.',
  '2024-09-2024',
  '-9/3/24',
  '９/3/24',
])('R-061 %j is no date shape', (text) => {
  expect(splitDate(text)).toBeUndefined();
});

test('R-061 two-digit years are of this century, leap days exist', () => {
  const leap = splitDate('2/29/24');
  expect(leap && dayOf(leap, 'MDY')).toBe(Date.UTC(2024, 1, 29));
  expect(leap && splitDate(' 2024. 2. 29. ')?.shape).toBe('year_first');
});
