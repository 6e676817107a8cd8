import { cursorInvalid } from '@mca/core/provider-kit';

/** Where a walk through Navidrome's own list of scrobbles stands. */
export interface NativePosition {
  /** Rows at or before this second are wanted, seconds; the walk goes from the newest back. */
  readonly to: number;
  /** Rows of exactly this second that were seen already. */
  readonly seen: number;
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
}

/** Which source a walk is in, and how far. */
export type Position =
  | ({ readonly of: 'scrobbles' } & NativePosition)
  | ({ readonly of: 'last-played' } & LastPlayedPosition);

export const TOP_OF_LAST_PLAYED: LastPlayedPosition = { offset: 0, look: 0, top: undefined, bound: undefined };

const SCROBBLES = /^s\.(\d{1,12})\.(\d{1,9})$/;
const LAST_PLAYED = /^p\.(\d{1,9})\.(\d)\.(\d{0,15})\.(\d{0,15})$/;

/** The text for a position, which {@link readPosition} reads. */
export function writePosition(position: Position): string {
  if (position.of === 'scrobbles') return `s.${position.to}.${position.seen}`;
  const { offset, look, top = '', bound = '' } = position;
  return `p.${offset}.${look}.${top}.${bound}`;
}

/** @throws McaError `invalid_data` `cursor_invalid` */
export function readPosition(cursor: string): Position {
  const [, to, seen] = SCROBBLES.exec(cursor) ?? [];
  if (to !== undefined && seen !== undefined) return { of: 'scrobbles', to: Number(to), seen: Number(seen) };
  const [, offset, look, top = '', bound = ''] = LAST_PLAYED.exec(cursor) ?? [];
  if (offset === undefined || look === undefined) throw cursorInvalid('navidrome');
  return { of: 'last-played', offset: Number(offset), look: Number(look), top: timeIn(top), bound: timeIn(bound) };
}

function timeIn(text: string): number | undefined {
  return text === '' ? undefined : Number(text);
}
