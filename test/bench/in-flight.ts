/** Requests before the measured ones: modules are loaded, connections open, code compiled. */
export const WARM_UP = 300;

/** Does something so many times, so many of them at once. */
export async function inFlight(count: number, most: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      await work(index);
    }
  };
  await Promise.all(Array.from({ length: most }, worker));
}
