import { createRegistry, syncHistory } from '@mca/core';
import { measure } from './harness.ts';
import { NOW, nothingNewSetup } from './nothing-new-setup.ts';

/** Measures syncs with nothing new, whatever the database. The service is in this process and answers at once. */
export async function measureNothingNew(
  adapter: Parameters<typeof nothingNewSetup>[0],
  { warmUp, syncs }: { readonly warmUp: number; readonly syncs: number },
): Promise<void> {
  let now = NOW;
  const registry = createRegistry(nothingNewSetup(adapter, () => now));
  let unchanged = 0;
  async function sync(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      now += 1_000;
      const { status, counts, pages, error } = await syncHistory(registry, { userId: 'ada', provider: 'fake' });
      if (status !== 'complete' || counts.inserted + counts.updated > 0 || pages !== 1) {
        throw error ?? new Error(`${status}, ${pages} pages, ${JSON.stringify(counts)}`);
      }
      unchanged += counts.unchanged;
    }
  }
  await sync(warmUp);
  unchanged = 0;
  await measure(
    () => sync(syncs),
    () => `${unchanged} unchanged`,
  );
}
