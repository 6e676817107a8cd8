import { DatabaseSync } from 'node:sqlite';
import { createRegistry, iterateItems } from '@mca/core';
import { sqlite } from '@mca/core/adapters/sqlite';

/** The service's ids of everything that is stored. */
export async function storedIds(path: string): Promise<readonly string[]> {
  const database = new DatabaseSync(path);
  try {
    const registry = createRegistry({ providers: [], ...sqlite({ database }) });
    const items = await Array.fromAsync(iterateItems(registry, { userId: 'ana', resolve: 'all' }));
    return items.map(({ contentId = '' }) => contentId);
  } finally {
    database.close();
  }
}
