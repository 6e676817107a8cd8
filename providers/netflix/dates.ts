import { utcTime } from '@mca/core/provider-kit';

/** Order of month, day and year in dates that do not show it themselves, such as `3/2/24`. */
export type DateOrder = 'MDY' | 'DMY' | 'YMD';

/** How a date is written. All dates of one file are written alike. */
export type DateShape = 'year_first' | 'dotted' | 'dashed' | 'slashed' | 'short_dashed';

/** A date cut into its three numbers. */
export interface DateParts {
  readonly shape: DateShape;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  /** The last number has four digits. */
  readonly longEnd: boolean;
}

const datePattern = /^(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(\.?)$/;
/** A cell can be huge; a date with spaces between its numbers is a dozen characters. */
const DATE_LENGTH_MAX = 40;
/** Streaming began in 2007. */
const FIRST_YEAR = 2007;
/** Nothing was watched on Netflix before. */
export const STREAMING_BEGAN: number = Date.UTC(FIRST_YEAR, 0, 1);
const DAY_MS = 86_400_000;

/** Cuts `9/3/24`, `03.09.2024`, `2024-09-03` or `2024. 9. 3.`; `undefined` for anything that is not so written. */
export function splitDate(text: string): DateParts | undefined {
  if (text.length > DATE_LENGTH_MAX) return undefined;
  const match = datePattern.exec(/\s/.test(text) ? text.replace(/\s/g, '') : text);
  if (!match) return undefined;
  const [, first = '', separator, second = '', third = '', end] = match;
  const yearFirst = first.length === 4;
  if (first.length === 3 || third.length === 3 || (yearFirst && third.length > 2)) return undefined;
  if (end !== '' && !(yearFirst && separator === '.')) return undefined;
  const longEnd = third.length === 4;
  const shape = yearFirst
    ? 'year_first'
    : separator === '.'
      ? 'dotted'
      : separator === '/'
        ? 'slashed'
        : longEnd
          ? 'dashed'
          : 'short_dashed';
  return { shape, a: Number(first), b: Number(second), c: Number(third), longEnd };
}

/** UTC midnight of the day, or `undefined` when there is no such day, or none on which Netflix could stream. */
export function dayOf(parts: DateParts, order: DateOrder): number | undefined {
  const day = anyDayOf(parts, order);
  return day === undefined || day < STREAMING_BEGAN ? undefined : day;
}

/** {@link dayOf}, however long ago. */
export function anyDayOf(parts: DateParts, order: DateOrder): number | undefined {
  const { a, b, c } = parts;
  const year = order === 'YMD' ? a : c;
  const month = order === 'DMY' ? b : order === 'MDY' ? a : b;
  const day = order === 'DMY' ? a : order === 'MDY' ? b : c;
  const fullYear = year < 100 ? 2000 + year : year;
  return utcTime(fullYear, month, day);
}

/** Latest day a file made today can hold: tomorrow, because days are local somewhere. */
export function lastPossibleDay(now: number): number {
  return Math.floor(now / DAY_MS) * DAY_MS + DAY_MS;
}
