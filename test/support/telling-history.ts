import type { HistoryCapability, ItemPage, ProviderContext } from '@mca/core/provider-kit';
import { fakeProvider } from '@mca/core/testing';

/** The history of the fake provider, as it is. */
export const { fetchPage } = fakeProvider({ baseUrl: 'https://service.test/v1' }).capabilities.history;

/** Ids of everything the service has. */
export async function idsOfAll(context: ProviderContext): Promise<readonly string[]> {
  const ids: string[] = [];
  const whole = { since: undefined, until: undefined, highWater: undefined, limit: 5_000 };
  for (let page: ItemPage | undefined; page?.hasMore ?? true; ) {
    page = await fetchPage(context, { ...whole, cursor: page?.cursor });
    ids.push(...page.items.flatMap(({ contentId = [] }) => contentId));
  }
  return ids;
}

/** Says at the end of each walk what the service still has. */
export const tellingHistory: Partial<HistoryCapability> = {
  async fetchPage(context, request) {
    const page = await fetchPage(context, request);
    if (page.hasMore) return page;
    return { ...page, present: [{ source: 'plays', contentIds: await idsOfAll(context) }] };
  },
};
