import type { Connection } from '../contracts/connection.ts';
import type { Coverage } from '../contracts/import-record.ts';
import type { Precision } from '../contracts/media-item.ts';
import type { AnyProvider } from '../contracts/provider.ts';
import type { HiddenRange } from '../contracts/storage/index.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { CERTAIN_STRETCHES, joined } from './coverage.ts';
import { readPosition } from './sync-position.ts';
import { backfillKey } from './sync-start.ts';

/**
 * How far around its `consumedAt` the real moment of an event may lie. A calendar day is a day somewhere on Earth:
 * it begins up to 14 hours before and ends up to 12 hours after the same day in UTC.
 */
const REACH: Readonly<Record<Precision, { readonly beforeMs: number; readonly afterMs: number }>> = {
  second: { beforeMs: 0, afterMs: 1_000 },
  minute: { beforeMs: 0, afterMs: 60_000 },
  hour: { beforeMs: 0, afterMs: 3_600_000 },
  day: { beforeMs: 50_400_000, afterMs: 129_600_000 },
};

/** No instant lies in it. */
const NOTHING = { from: 1, to: 0 };

/** Coverage with the connection that brought it. */
interface Covered extends Coverage {
  /** Label of the connection; empty for the user's only account. */
  readonly label: string;
}

/**
 * What reads leave out so that nothing counts twice: items of a coarse source where a finer source of the same
 * platform and account covers the time. An account without label may be any of the user's accounts.
 */
export async function hiddenRanges(registry: AnyRegistry, userId: string): Promise<readonly HiddenRange[]> {
  const [connections, imports] = await Promise.all([
    registry.storage.listConnections({ userId }),
    registry.storage.listImports({ userId }),
  ]);
  const labels = new Map(connections.map(({ id, account }) => [id, account]));
  const imported: Covered[] = imports.flatMap(({ connectionId, coverage }) =>
    coverage.map((stretch) => ({ ...stretch, label: labels.get(connectionId) ?? '' })),
  );
  const synced = await Promise.all(connections.map((connection) => syncedCoverage(registry, connection)));
  const covered = [...imported, ...synced.flat()];
  const platforms = new Set(covered.map(({ platform }) => platform));
  return [...platforms].flatMap((platform) => {
    const provider = registry.list().find(({ id }) => id === platform);
    const here = covered.filter((stretch) => stretch.platform === platform);
    return provider ? rangesOf(provider, here, connections) : [];
  });
}

/** What live syncs told of: the cursor of the connection knows. */
async function syncedCoverage(registry: AnyRegistry, connection: Connection): Promise<readonly Covered[]> {
  const history = registry.list().find(({ id }) => id === connection.provider)?.capabilities.history;
  if (connection.kind !== 'api' || !history) return [];
  const tracks = ['history', backfillKey('history')].map(async (track) => {
    const { position } = await readPosition(registry, connection, track, history);
    return position?.coverage ?? [];
  });
  return (await Promise.all(tracks)).flat().map(([source, account, from, to]) => ({
    platform: connection.provider,
    source,
    ...(account === null ? {} : { account }),
    from: new Date(from),
    to: new Date(to),
    label: connection.account,
  }));
}

function rangesOf(
  provider: AnyProvider,
  covered: readonly Covered[],
  connections: readonly Connection[],
): readonly HiddenRange[] {
  const { fileImport, history } = provider.capabilities;
  const sources = { ...fileImport?.sources, ...history?.sources };
  return Object.entries(sources).flatMap(([source, { precision, rank }]) => {
    const finer = covered.filter((stretch) => (sources[stretch.source]?.rank ?? -1) > rank);
    const byAccount = Map.groupBy(finer, ({ label, account }) => JSON.stringify([label, account]));
    return [...byAccount.values()].flatMap((stretches) => {
      const [{ label, account }] = stretches as [Covered, ...Covered[]];
      const connectionIds = connections
        .filter((each) => label === '' || each.account === '' || each.account === label)
        .map(({ id }) => id);
      const finerSources = [...new Set(stretches.map((stretch) => stretch.source))];
      const { beforeMs, afterMs } = REACH[precision];
      const merged = joined(
        stretches.map(({ from, to }) => ({ from: from.getTime(), to: to.getTime() })),
        0,
        Number.POSITIVE_INFINITY,
      );
      const base = {
        platform: provider.id,
        source,
        connectionIds,
        ...(account === undefined ? {} : { account }),
        finerSources,
        reachBeforeMs: beforeMs,
        reachAfterMs: afterMs,
      };
      // To the second, a row and its twin meet: whether the finer source has it is asked row by row. So it is of the older
      // ones among many stretches, because each makes every read a little slower.
      const certainCount = precision === 'second' ? 0 : CERTAIN_STRETCHES;
      const firstCertain = Math.max(0, merged.length - certainCount);
      const [older, newer] = [merged.slice(0, firstCertain), merged.slice(firstCertain)];
      const certain = newer.map(
        ({ from, to }): HiddenRange => ({
          ...base,
          // Surely inside: wherever within its reach the event was, the finer source was watching.
          from: from + beforeMs,
          to: to - afterMs,
          // Perhaps inside: hidden if the finer source has it.
          edges: [
            { from: from - afterMs, to: from + beforeMs },
            { from: to - afterMs, to: to + beforeMs },
          ],
        }),
      );
      const [first, last] = [older[0], older.at(-1)];
      if (!first || !last) return certain;
      return [{ ...base, ...NOTHING, edges: [{ from: first.from - afterMs, to: last.to + beforeMs }] }, ...certain];
    });
  });
}
