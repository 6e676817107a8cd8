import { utcTime } from '@mca/core/provider-kit';

/** A date as an HTML log writes it. */
export interface HtmlDate {
  /** Wall-clock time as if it were UTC, epoch milliseconds. */
  readonly wallTime: number;
  /** Name of the zone as written; empty when there is none, which means UTC. */
  readonly zone: string;
}

/** First letters of month names in English, German, Dutch, Spanish and Turkish, as short as they are told apart. */
const MONTHS: Readonly<Record<string, number>> = Object.fromEntries(
  [
    'jan ene oca',
    'feb şub',
    'mar mär mrt',
    'apr abr nis',
    'may mai mei',
    'jun haz',
    'jul tem',
    'aug ago ağu',
    'sep eyl',
    'oct okt eki',
    'nov kas',
    'dec dez dic ara',
  ].flatMap((names, index) => names.split(' ').map((name) => [name, index + 1])),
);

const TIME = String.raw`(\d{1,2}):(\d\d):(\d\d)(?:\s*([AaPp])\.?\s?[Mm]\.?)?\s*(.*)$`;
const SHAPES: readonly {
  readonly pattern: RegExp;
  readonly order: readonly ['year' | 'month' | 'day', 'year' | 'month' | 'day', 'year' | 'month' | 'day'];
}[] = [
  // Aug 17, 2026, 1:14:48 PM CEST
  { pattern: new RegExp(String.raw`^(\p{L}+)\.? (\d{1,2}), (\d{4}),? ${TIME}`, 'u'), order: ['month', 'day', 'year'] },
  // 17. Aug. 2026, 22:14:48 MESZ and 15 jun 2026, 9:30:41 CEST
  {
    pattern: new RegExp(String.raw`^(\d{1,2})\.? (\p{L}+)\.? (\d{4}),? ${TIME}`, 'u'),
    order: ['day', 'month', 'year'],
  },
  // 27.08.2026, 20:04:54 MESZ
  { pattern: new RegExp(String.raw`^(\d{1,2})\.(\d{1,2})\.(\d{4}),? ${TIME}`, 'u'), order: ['day', 'month', 'year'] },
  // 2026年7月30日 00:23:06 CEST
  { pattern: new RegExp(String.raw`^(\d{4})年(\d{1,2})月(\d{1,2})日 ${TIME}`, 'u'), order: ['year', 'month', 'day'] },
];

/** Of a date with its zone; the longest that was seen has 35 characters. */
const DATE_LENGTH_MAX = 100;

/** Reads a date in one of the shapes that were seen; `undefined` for any other language. */
export function parseHtmlDate(text: string): HtmlDate | undefined {
  if (text.length > DATE_LENGTH_MAX) return undefined;
  const plain = text
    .replace(/[\u00a0\u202f]/g, ' ')
    .replace(/[\u200e\u200f]/g, '')
    .trim();
  for (const { pattern, order } of SHAPES) {
    const match = pattern.exec(plain);
    if (!match) continue;
    const [, first = '', second = '', third = '', hour = '', minute = '', secondOfMinute = '', half, zone = ''] = match;
    const part = Object.fromEntries([first, second, third].map((value, index) => [order[index], value])) as Record<
      'year' | 'month' | 'day',
      string
    >;
    const wallTime = utcTime(
      Number(part.year),
      monthOf(part.month),
      Number(part.day),
      hourOf(Number(hour), half),
      Number(minute),
      Number(secondOfMinute),
    );
    return wallTime === undefined ? undefined : { wallTime, zone: zone.trim() };
  }
  return undefined;
}

function monthOf(text: string): number {
  return /^\d+$/.test(text)
    ? Number(text)
    : (MONTHS[text.toLocaleLowerCase('tr').replace('i̇', 'i').slice(0, 3)] ??
        MONTHS[text.toLowerCase().slice(0, 3)] ??
        0);
}

function hourOf(hour: number, half: string | undefined): number {
  if (half === undefined) return hour;
  if (hour < 1 || hour > 12) return 99;
  return (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
}

/** Minutes ahead of UTC. Names that several zones share (CST, IST, BST) are left out on purpose. */
const ZONES: Readonly<Record<string, number>> = {
  '': 0,
  UTC: 0,
  GMT: 0,
  Z: 0,
  WET: 0,
  WEST: 60,
  CET: 60,
  CEST: 120,
  MEZ: 60,
  MESZ: 120,
  EET: 120,
  EEST: 180,
  MSK: 180,
  SAST: 120,
  EST: -300,
  EDT: -240,
  CDT: -300,
  MST: -420,
  MDT: -360,
  PST: -480,
  PDT: -420,
  AKST: -540,
  AKDT: -480,
  HST: -600,
  JST: 540,
  KST: 540,
  AEST: 600,
  AEDT: 660,
  ACST: 570,
  ACDT: 630,
  AWST: 480,
  NZST: 720,
  NZDT: 780,
};

/**
 * Minutes ahead of UTC of a zone by its short name. The name is the account's zone when the file was made, applied to every row,
 * so it is a fixed offset: a row of January may say summer time.
 */
export function offsetOf(zone: string): number | undefined {
  const known = ZONES[zone.toUpperCase()];
  if (known !== undefined) return known;
  const match = /^(?:GMT|UTC)?([+-])(\d{1,2})(?::?(\d\d))?$/i.exec(zone.replace('−', '-'));
  if (!match) return undefined;
  const [, sign, hours = '0', minutes = '0'] = match;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}
