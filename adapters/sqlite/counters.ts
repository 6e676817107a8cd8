import type { Session } from './session.ts';

/** The feed position. */
export function readSequence(session: Session): number {
  const row = session.statement('SELECT sequence FROM mca_counters').get();
  return (row as { readonly sequence: number }).sequence;
}

/** Stores the feed position. */
export function writeSequence(session: Session, sequence: number): void {
  session.statement('UPDATE mca_counters SET sequence = ?').run(sequence);
}

/** Counts one up and answers the new number. */
export function nextCount(session: Session, counter: 'fence' | 'credential_version' | 'parked'): number {
  const row = session
    .statement(`UPDATE mca_counters SET ${counter} = ${counter} + 1 RETURNING ${counter} AS count`)
    .get();
  return (row as { readonly count: number }).count;
}
