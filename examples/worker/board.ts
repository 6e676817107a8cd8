const number = new Intl.NumberFormat('en-US');
const BAR_CELLS = 32;

/** What the board shows of one worker. */
export interface WorkerLine {
  readonly name: string;
  readonly syncs: number;
  readonly stored: number;
  /** In place of the bar: `killed in the middle of a page`. */
  readonly note?: string | undefined;
}

/** What the board shows. */
export interface BoardState {
  readonly seconds: number;
  readonly workers: readonly WorkerLine[];
  readonly stored: number;
  readonly toStore: number;
  readonly lastSecond: number;
  readonly most: number;
  readonly limit: number;
  readonly refused: number;
}

/** The lines of the board. */
export function boardOf(state: BoardState): readonly string[] {
  const share = state.toStore > 0 ? state.stored / state.toStore : 0;
  const busiest = Math.max(1, ...state.workers.map(({ stored }) => stored));
  return [
    ...state.workers.map(({ name, syncs, stored, note }) => {
      const counts = `${number.format(stored).padStart(7)} plays in ${number.format(syncs).padStart(5)} syncs`;
      return `${name.padEnd(9)} ${bar(stored / busiest / 2)} ${counts}${note ? `  ${note}` : ''}`;
    }),
    `${'stored'.padEnd(9)} ${bar(share)} ${number.format(state.stored).padStart(7)} of ${number.format(state.toStore)} plays, ${Math.round(state.seconds)} s`,
    `${'requests'.padEnd(9)} ${bar(state.lastSecond / state.limit)} ${String(state.lastSecond).padStart(7)} in the last second, never more than ${state.most} of ${state.limit}, ${state.refused} refused`,
  ];
}

function bar(share: number): string {
  return '█'.repeat(Math.min(BAR_CELLS, Math.round(share * BAR_CELLS))).padEnd(BAR_CELLS, '░');
}

/** Draws in place on a terminal; where nobody watches, only how it ended. */
export function liveBoard(): { show(state: BoardState, isEnd: boolean): void } {
  const { stdout } = process;
  let drawn = 0;
  return {
    show(state, isEnd) {
      if (!stdout.isTTY) {
        if (isEnd) console.log(boardOf(state).join('\n'));
        return;
      }
      const lines = boardOf(state);
      stdout.write(`${drawn > 0 ? `\x1b[${drawn}A` : ''}${lines.map((line) => `\x1b[K${line}`).join('\n')}\n`);
      drawn = lines.length;
    },
  };
}
