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

const NEXT = {
  fence: 'UPDATE mca_counters SET fence = fence + 1 RETURNING fence AS count',
  credential_version:
    'UPDATE mca_counters SET credential_version = credential_version + 1 RETURNING credential_version AS count',
  parked: 'UPDATE mca_counters SET parked = parked + 1 RETURNING parked AS count',
} as const;

/** Counts one up and answers the new number. */
export function nextCount(session: Session, counter: keyof typeof NEXT): number {
  return (session.statement(NEXT[counter]).get() as { readonly count: number }).count;
}
