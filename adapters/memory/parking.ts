import type { ParkedRecord } from '@mca/core/adapter-kit';
import type { State } from './state.ts';

/** Parks records, each once, and lets go of those that were made good. */
export function park(
  state: State,
  connectionId: string,
  parked: readonly ParkedRecord[],
  unparked: readonly number[],
): void {
  let records = state.parked.get(connectionId) ?? [];
  for (const { capability, reason, message, raw } of parked) {
    const known = records.find((record) => record.capability === capability && record.raw === raw);
    if (known) {
      // Reason and message of the last attempt: another release may fail for another reason.
      const again = { ...known, reason, message, attempts: known.attempts + 1 };
      records = records.map((record) => (record === known ? again : record));
      continue;
    }
    state.parkedId += 1;
    const parkedAt = new Date(state.clock.now());
    records = [...records, { id: state.parkedId, parkedAt, attempts: 1, capability, reason, message, raw }];
  }
  state.parked.set(
    connectionId,
    records.filter(({ id }) => !unparked.includes(id)),
  );
}
