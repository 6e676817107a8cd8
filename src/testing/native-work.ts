import { createHook } from 'node:async_hooks';

/** Work that Node does outside of JavaScript: sealing, hashing, reading files. Sockets and timers are not such work. */
const NATIVE_REQUEST = /REQUEST$|^FSREQ/;
const KEY = Symbol.for('@mca/core/testing/native-work');

/**
 * How many native requests of this process are under way. A fake clock must not let time pass while there are any: the
 * code under test is busy, not waiting.
 *
 * One hook for the process: `async_hooks` are process-wide, and every further one slows every promise down.
 */
export function nativeWork(): { readonly size: number } {
  return pendingWork();
}

/** Lets fake clocks stand still while the work goes on: a real service is asked, and takes its time. */
export async function standingStill<Result>(work: () => Promise<Result>): Promise<Result> {
  const pending = pendingWork();
  const place = Symbol('work');
  pending.add(place);
  try {
    return await work();
  } finally {
    pending.delete(place);
  }
}

function pendingWork(): Set<number | symbol> {
  const shared = globalThis as { [KEY]?: Set<number | symbol> };
  const known = shared[KEY];
  if (known) return known;
  const pending = new Set<number | symbol>();
  shared[KEY] = pending;
  createHook({
    init(id, type) {
      if (NATIVE_REQUEST.test(type)) pending.add(id);
    },
    after: (id) => void pending.delete(id),
    destroy: (id) => void pending.delete(id),
  }).enable();
  return pending;
}
