/** What we use of `node:v8`. Fields are named by Node. */
interface HeapSpace {
  readonly space_name: string;
  readonly space_used_size: number;
  readonly space_available_size: number;
}

interface V8 {
  getHeapSpaceStatistics?(): readonly HeapSpace[];
}

const { process } = globalThis as { readonly process?: { getBuiltinModule?(id: string): unknown } };
const figures = v8WithFigures();

/** V8 collects its young generation from four fifths in use; this is a little before. */
const NEAR_FROM = 0.72;

/**
 * Whether V8 is about to collect its young generation: what is half read then is copied, and counts as lasting. Never
 * where the runtime does not tell. Takes 2 µs. The engine looks at the same figures, to end its pages.
 */
export function isCollectionNear(): boolean {
  const space = figures?.getHeapSpaceStatistics?.().find(({ space_name: name }) => name === 'new_space');
  if (!space) return false;
  const { space_used_size: used, space_available_size: free } = space;
  return used > (used + free) * NEAR_FROM;
}

/** Other runtimes have the function, and it throws. */
function v8WithFigures(): V8 | undefined {
  try {
    const v8 = process?.getBuiltinModule?.('node:v8') as V8 | undefined;
    v8?.getHeapSpaceStatistics?.();
    return v8;
  } catch {
    return undefined;
  }
}
