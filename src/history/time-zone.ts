import { McaError } from '../contracts/errors.ts';

/** Length of a bucket of a timeline. Weeks begin on Monday (ISO 8601). */
export type TimelineUnit = 'day' | 'week' | 'month' | 'year';

/** A calendar date. */
interface CalendarDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
}

/** Tells wall-clock times of one IANA zone. */
export interface Zone {
  /** Epoch milliseconds of a wall-clock time written as if it were UTC, at this instant. */
  wallTime(instant: number): number;
}

/** @throws McaError `invalid_data` for a zone that `Intl` does not know. */
export function zoneOf(timeZone: string): Zone {
  if (timeZone === 'UTC') return { wallTime: (instant) => instant };
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (cause) {
    throw new McaError({
      code: 'invalid_data',
      reason: 'unknown_time_zone',
      message: `"${timeZone}" is no IANA time zone.`,
      hint: 'Use a name such as Europe/Berlin.',
      cause,
    });
  }
  return {
    wallTime(instant) {
      const parts: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
      for (const { type, value } of format.formatToParts(instant)) parts[type] = value;
      const { year, month, day, hour, minute, second } = parts;
      return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
    },
  };
}

/** The first instant of a calendar day in a zone. Days that begin an hour late (a clock change at midnight) do so here too. */
export function startOfDay(zone: Zone, { year, month, day }: CalendarDate): number {
  const wall = Date.UTC(year, month - 1, day);
  // The offset of a guess is right except next to a clock change; one correction settles it.
  let instant = wall - (zone.wallTime(wall) - wall);
  instant = wall - (zone.wallTime(instant) - instant);
  // Midnight that does not exist: the correction above lands an hour early, in the evening before.
  const missing = wall - zone.wallTime(instant);
  return missing > 0 ? instant + missing : instant;
}

/** The first calendar day of the bucket that an instant falls into. */
export function bucketStart(zone: Zone, unit: TimelineUnit, instant: number): CalendarDate {
  const wall = new Date(zone.wallTime(instant));
  const date = { year: wall.getUTCFullYear(), month: wall.getUTCMonth() + 1, day: wall.getUTCDate() };
  if (unit === 'year') return { year: date.year, month: 1, day: 1 };
  if (unit === 'month') return { ...date, day: 1 };
  if (unit === 'week') return addDays(date, -((wall.getUTCDay() + 6) % 7));
  return date;
}

/** The first calendar day of the next bucket. */
export function nextBucket(unit: TimelineUnit, date: CalendarDate): CalendarDate {
  if (unit === 'year') return { ...date, year: date.year + 1 };
  if (unit === 'month')
    return date.month === 12 ? { year: date.year + 1, month: 1, day: 1 } : { ...date, month: date.month + 1 };
  return addDays(date, unit === 'week' ? 7 : 1);
}

/** `2024-05-01` */
export function isoDate({ year, month, day }: CalendarDate): string {
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

function addDays({ year, month, day }: CalendarDate, days: number): CalendarDate {
  const moved = new Date(Date.UTC(year, month - 1, day + days));
  return { year: moved.getUTCFullYear(), month: moved.getUTCMonth() + 1, day: moved.getUTCDate() };
}
