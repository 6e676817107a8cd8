import { type FilePosition, McaError } from '@mca/core/provider-kit';
import { type DateOrder, type DateShape, dayOf, splitDate } from './dates.ts';

/** How to read the dates of one file. */
export interface DateReading {
  readonly shape: DateShape;
  readonly order: DateOrder;
  /** What the user should know about how it was found out. */
  readonly warnings: readonly string[];
}

/** What the host says about dates. */
export interface DateWishes {
  readonly dateOrder?: DateOrder | undefined;
  readonly allowAmbiguous: boolean;
}

/** Watches all dates of a file, in file order, and says how they are meant. Keeps counters, not rows. */
export interface DateEvidence {
  add(text: string, place: Pick<FilePosition, 'record' | 'line'>): void;
  /** @throws McaError `file_parse_error`, reason `ambiguous_date` or `unknown_date_format` */
  decide(wishes: DateWishes): DateReading;
}

type Place = Pick<FilePosition, 'record' | 'line'>;

/** Counters of one candidate order. */
interface Candidate {
  readonly order: DateOrder;
  /** First row that only this order makes a date. */
  proof: Place | undefined;
  future: number;
  /** Rows later, and earlier, than the row before. */
  later: number;
  earlier: number;
  previous: number | undefined;
}

/** Fewer distinct dates than this fall into one order by chance too often. */
const STRONG_EVIDENCE = 5;

/**
 * Makes the evidence for one file.
 *
 * @param lastDay - later days are in the future; see `lastPossibleDay`
 */
export function dateEvidence(file: string, field: string, lastDay: number): DateEvidence {
  const candidates: readonly [Candidate, Candidate] = [candidate('MDY'), candidate('DMY')];
  const shapes = new Map<DateShape, number>();
  const distinct = new Set<string>();
  let rows = 0;
  let possible = 0;
  let longEnds = 0;
  let dayBeforeMonth: Place | undefined;

  function add(text: string, place: Place): void {
    rows += 1;
    const parts = splitDate(text);
    if (!parts) return;
    shapes.set(parts.shape, (shapes.get(parts.shape) ?? 0) + 1);
    if (distinct.size < STRONG_EVIDENCE) distinct.add(text);
    if (parts.shape === 'year_first' && parts.b > 12 && parts.b <= 31 && parts.c <= 12) dayBeforeMonth ??= place;
    if (parts.shape !== 'slashed') return;
    if (parts.longEnd) longEnds += 1;
    const days = candidates.map(({ order }) => dayOf(parts, order));
    // A row that is no date in either order is a bad row and proves nothing.
    if (days.every((day) => day === undefined || day > lastDay)) return;
    possible += 1;
    for (const [index, each] of candidates.entries()) {
      const day = days[index];
      if (day === undefined) continue;
      if (days[1 - index] === undefined) each.proof ??= place;
      if (day > lastDay) each.future += 1;
      if (each.previous !== undefined && day > each.previous) each.later += 1;
      if (each.previous !== undefined && day < each.previous) each.earlier += 1;
      each.previous = day;
    }
  }

  function decide(wishes: DateWishes): DateReading {
    const [most] = [...shapes].sort((x, y) => y[1] - x[1]);
    if (!most) {
      if (rows === 0) return { shape: 'year_first', order: 'YMD', warnings: [] };
      throw failure('unknown_date_format', 'has no date in a form that Netflix is known to write', unknownHint);
    }
    const [shape] = most;
    if (shape === 'year_first') {
      if (dayBeforeMonth)
        throw failure('ambiguous_date', 'has years first, then a day, then a month', editedHint, dayBeforeMonth);
      return { shape, order: 'YMD', warnings: [] };
    }
    if (shape === 'dotted' || shape === 'dashed') return { shape, order: 'DMY', warnings: [] };
    if (shape === 'slashed') return decideSlashed(wishes);
    if (wishes.dateOrder) return { shape, order: wishes.dateOrder, warnings: [] };
    throw failure('ambiguous_date', 'has dates with two-digit years between dashes', orderHint);
  }

  function decideSlashed(wishes: DateWishes): DateReading {
    const { dateOrder } = wishes;
    const read = (order: DateOrder, ...warnings: string[]): DateReading => ({ shape: 'slashed', order, warnings });
    // Only the caller can know of a two-digit year in front; nothing in the file would tell it from a day.
    if (dateOrder === 'YMD' && longEnds === 0) return read('YMD');
    if (possible === 0) throw failure('unknown_date_format', 'has no possible date', unknownHint);
    const [monthFirst, dayFirst] = candidates;
    if (monthFirst.proof && dayFirst.proof) {
      const second = Math.max(monthFirst.proof.record ?? 0, dayFirst.proof.record ?? 0);
      const place = monthFirst.proof.record === second ? monthFirst.proof : dayFirst.proof;
      throw failure('ambiguous_date', 'has both days and months in first place', editedHint, place);
    }
    const proven = candidates.find(({ proof }) => proof);
    const wished = dateOrder === 'YMD' ? undefined : dateOrder;
    if (proven)
      return wished && wished !== proven.order
        ? read(proven.order, overruled(wished, proven.order))
        : read(proven.order);
    return decideByOrder(read, wished, wishes.allowAmbiguous);
  }

  /** All numbers are 12 or less: the sequence of the rows has to tell. */
  function decideByOrder(
    read: (order: DateOrder, ...warnings: string[]) => DateReading,
    wished: DateOrder | undefined,
    allowAmbiguous: boolean,
  ): DateReading {
    const withoutFuture = candidates.filter(({ future }) => future === 0);
    const past = withoutFuture.length > 0 ? withoutFuture : candidates;
    const found = (past.length === 1 ? past[0] : (only(past, 'later') ?? only(past, 'earlier')))?.order;
    const weak = distinct.size < STRONG_EVIDENCE;
    const wishedIsPossible = past.some(({ order }) => order === wished);
    if (wished && wishedIsPossible && (weak || !found)) {
      return found && found !== wished ? read(wished, weakWish(wished, found)) : read(wished);
    }
    if (found) {
      if (wished && wished !== found) return read(found, overruled(wished, found));
      return weak ? read(found, weakEvidence(found)) : read(found);
    }
    if (allowAmbiguous) return read(wished ?? 'MDY', guessed(wished ?? 'MDY'));
    throw failure('ambiguous_date', 'fits month/day/year as well as day/month/year', orderHint);
  }

  function failure(reason: string, what: string, hint: string, place: Place = {}): McaError {
    const message = `${file} ${what} in column ${field}.`;
    return new McaError({
      code: 'file_parse_error',
      reason,
      provider: 'netflix',
      message,
      hint,
      position: { file, field, ...place },
    });
  }

  return { add, decide };
}

function candidate(order: DateOrder): Candidate {
  return { order, proof: undefined, future: 0, later: 0, earlier: 0, previous: undefined };
}

/** The one candidate without rows of this kind; none when several or no candidate has none. */
function only(candidates: readonly Candidate[], kind: 'later' | 'earlier'): Candidate | undefined {
  const without = candidates.filter((each) => each[kind] === 0);
  return without.length === 1 ? without[0] : undefined;
}

const orderHint =
  "Say how the dates are meant with the option dateOrder: 'MDY' (US: month/day/year), 'DMY' (day/month/year) or 'YMD'. " +
  "The account's language and country decide it; the option allowAmbiguous imports them as month/day/year.";
const unknownHint =
  'Set the profile to English, download the viewing activity again, and do not save it with another program.';
const editedHint =
  'Download the file again: parts of exports in two languages were joined, or another program changed its dates.';

const words: Readonly<Record<DateOrder, string>> = {
  MDY: 'month/day/year',
  DMY: 'day/month/year',
  YMD: 'year/month/day',
};

function weakEvidence(order: DateOrder): string {
  return `Dates were taken as ${words[order]} on little evidence (fewer than ${STRONG_EVIDENCE} different dates). If that is wrong, undo the import and set dateOrder.`;
}

function weakWish(wished: DateOrder, found: DateOrder): string {
  return `Dates were taken as ${words[wished]} because dateOrder says so; the order of the rows suggests ${words[found]}, on little evidence.`;
}

function overruled(wished: DateOrder, found: DateOrder): string {
  return `Dates were taken as ${words[found]}: read as ${words[wished]}, as dateOrder says, they are impossible or out of sequence.`;
}

function guessed(order: DateOrder): string {
  return `The file does not tell day from month; dates were taken as ${words[order]} because allowAmbiguous is set. If that is wrong, undo the import and set dateOrder.`;
}
