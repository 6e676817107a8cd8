import { cursorInvalid } from '@mca/core/provider-kit';

/** Where a walk through Navidrome's own list of scrobbles stands. It goes from the newest row back. */
export interface NativePosition {
  /** Rows of the list that were seen already. */
  readonly seen: number;
  /** Lowest row id that was seen. */
  readonly lowest: number;
  /** Highest row id when the walk was begun. */
  readonly top: number;
  /** Rows up to this id are of walks before; 0 without one. */
  readonly known: number;
}

/** Where a walk through the list of last plays stands. */
export interface LastPlayedPosition {
  /** Albums of the list that were seen already. */
  readonly offset: number;
  /** How often the list was begun again, for what came on top meanwhile. */
  readonly look: number;
  /** Newest play when the list was begun, epoch milliseconds by the server's clock; unknown at its start. */
  readonly top: number | undefined;
  /** In looks: what was played after this is wanted, epoch milliseconds. */
  readonly bound: number | undefined;
  /** Highest id of the rows of scrobbles that walks have given; 0 without one. */
  readonly known: number;
}

/** Which source a walk is in, and how far. */
export type Position =
  | ({ readonly of: 'scrobbles' } & NativePosition)
  | ({ readonly of: 'last-played' } & LastPlayedPosition)
  /** Between two walks: all rows of scrobbles up to this id are given. */
  | { readonly of: 'rest'; readonly known: number };

const SCROBBLES = /^s\.(\d{1,9})\.(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/;
const LAST_PLAYED = /^p\.(\d{1,9})\.(\d)\.(\d{0,15})\.(\d{0,15})(?:\.(\d{1,15}))?$/;
const REST = /^r\.(\d{1,15})$/;

/** Where a walk through the list of last plays begins. */
export function topOfLastPlayed(known: number): LastPlayedPosition {
  return { offset: 0, look: 0, top: undefined, bound: undefined, known };
}

/** The text for a position, which {@link readPosition} reads. */
export function writePosition(position: Position): string {
  if (position.of === 'rest') return `r.${position.known}`;
  if (position.of === 'scrobbles') {
    const { seen, lowest, top, known } = position;
    return `s.${seen}.${lowest}.${top}.${known}`;
  }
  const { offset, look, top = '', bound = '', known } = position;
  return `p.${offset}.${look}.${top}.${bound}.${known}`;
}

/** @throws McaError `invalid_data` `cursor_invalid` */
export function readPosition(cursor: string): Position {
  const [, rest] = REST.exec(cursor) ?? [];
  if (rest !== undefined) return { of: 'rest', known: Number(rest) };
  const [isScrobbles, ...numbers] = SCROBBLES.exec(cursor) ?? [];
  if (isScrobbles !== undefined) {
    const [seen = 0, lowest = 0, highest = 0, known = 0] = numbers.map(Number);
    return { of: 'scrobbles', seen, lowest, top: highest, known };
  }
  const [, offset, look, top = '', bound = '', known = '0'] = LAST_PLAYED.exec(cursor) ?? [];
  if (offset === undefined || look === undefined) throw cursorInvalid('navidrome');
  const [times, counts] = [
    { top: timeIn(top), bound: timeIn(bound) },
    { offset: Number(offset), look: Number(look) },
  ];
  return { of: 'last-played', ...counts, ...times, known: Number(known) };
}

function timeIn(text: string): number | undefined {
  return text === '' ? undefined : Number(text);
}
