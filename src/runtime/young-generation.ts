/** What we use of `node:v8`. Fields are named by Node. */
interface HeapSpace {
  readonly space_name: string;
  readonly space_used_size: number;
  readonly space_available_size: number;
}

/** Smaller than this it may grow: collections would be so many that waiting for them costs more than the memory. */
const GROWN_BYTES = 24 * 2 ** 20;
/** Share in use from which V8 collects its young generation at the next turn of the event loop. */
const COLLECTED_FROM = 0.8;

const { process, setImmediate: nextTurn } = globalThis as {
  readonly process?: { getBuiltinModule?(id: string): unknown };
  /** Taken now, so that a host's fake timers stop nobody. */
  readonly setImmediate?: (run: () => void) => unknown;
};
const figures = v8WithFigures();

/** V8's young generation, in bytes. */
export interface YoungGeneration {
  readonly used: number;
  /** As much in use, and V8 collects. */
  readonly collectedFrom: number;
}

/**
 * How far V8 is from its next collection; never near one where the runtime does not tell. Takes 2 µs.
 *
 * V8 doubles its young generation, up to 128 MB, each time as much as it holds has outlived collections, and keeps that
 * size. So a long work stays small when little of it is half done at the moment of a collection.
 */
export function youngGeneration(): YoungGeneration {
  const space = figures?.getHeapSpaceStatistics?.().find(({ space_name: name }) => name === 'new_space');
  if (!space) return { used: 0, collectedFrom: Number.POSITIVE_INFINITY };
  const { space_used_size: used, space_available_size: free } = space;
  const isGrown = used + free >= GROWN_BYTES;
  return { used, collectedFrom: isGrown ? (used + free) * COLLECTED_FROM : Number.POSITIVE_INFINITY };
}

/** Lets V8 collect its young generation, when it is about to. */
export async function restIfYoungIsFull(): Promise<void> {
  const { used, collectedFrom } = youngGeneration();
  if (nextTurn === undefined || used < collectedFrom) return;
  // V8's own task comes between the first turn and the second.
  for (let turn = 0; turn < 2; turn += 1) await new Promise<void>((resolve) => nextTurn(resolve));
}

/** Other runtimes have the function, and it throws. */
function v8WithFigures(): { getHeapSpaceStatistics?(): readonly HeapSpace[] } | undefined {
  const v8 = process?.getBuiltinModule?.('node:v8') as { getHeapSpaceStatistics?(): readonly HeapSpace[] } | undefined;
  try {
    v8?.getHeapSpaceStatistics?.();
    return v8;
  } catch {
    return undefined;
  }
}
