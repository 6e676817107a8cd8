import type { AuthStrategy, FormField } from '../contracts/auth.ts';
import {
  CAPABILITY_NAMES,
  type CapabilityName,
  INCREMENTAL_NAMES,
  type IncrementalCapability,
  type IncrementalName,
} from '../contracts/capabilities/index.ts';
import type { Precision } from '../contracts/media-item.ts';
import type { AnyProvider, DataPolicy, RateLimit } from '../contracts/provider.ts';
import type { AnyRegistry } from './create-registry.ts';

/** One way a user can connect a service. */
export interface ConnectChoice {
  /** Goes into `beginConnect` as `strategy`. */
  readonly type: Exclude<AuthStrategy['type'], 'file-import'>;
  /** What a form asks for, or what the host has to supply. */
  readonly fields: readonly FormField[];
  /** What the user is asked to allow. */
  readonly scopes: readonly string[];
}

/** A format or endpoint that items come from. */
export interface SourceDescription {
  readonly id: string;
  /** Name people know, such as `Extended streaming history`. */
  readonly name: string;
  /** Finest precision of its events. */
  readonly precision: Precision;
}

/** What is synced by schedule. */
export interface SyncDescription {
  readonly sources: readonly SourceDescription[];
  /** Pause between two syncs, in milliseconds. */
  readonly intervalMs: number;
  /** Old history is fetched apart from what is new. */
  readonly backfill: boolean;
}

/** What a host can show of a provider, on a page of services to connect: plain JSON, without functions or secrets. */
export interface ProviderDescription {
  readonly id: string;
  /** Name people know. */
  readonly name: string;
  readonly capabilities: readonly CapabilityName[];
  /** Whether users can connect it with `beginConnect`. Else it reads files, or the host supplies the credentials. */
  readonly supportsAuth: boolean;
  /** Ways to connect, the default first. */
  readonly connect: readonly ConnectChoice[];
  /** What is synced, by capability. */
  readonly syncs: Readonly<Partial<Record<IncrementalName, SyncDescription>>>;
  /** Files it reads; absent when it reads none. */
  readonly imports?:
    | {
        /** File name endings for an upload form, such as `.zip`. */
        readonly accept: readonly string[];
        readonly formats: readonly SourceDescription[];
      }
    | undefined;
  readonly limits: readonly RateLimit[];
  /** What the service asks of whoever keeps its data. */
  readonly policy: DataPolicy;
}

const DEFAULT_INTERVAL_MS = 3_600_000;

/**
 * All that is registered, for a page of services to connect.
 *
 * @example
 * ```ts
 * for (const { name, supportsAuth, imports } of describeProviders(registry)) {
 *   console.log(name, supportsAuth ? 'connect' : '', imports ? `upload ${imports.accept.join(', ')}` : '');
 * }
 * ```
 */
export function describeProviders(registry: AnyRegistry): readonly ProviderDescription[] {
  return registry.list().map(describeProvider);
}

/** What a host can show of one provider. */
export function describeProvider(provider: AnyProvider): ProviderDescription {
  const { id, name, capabilities, limits, policy } = provider;
  const { fileImport } = capabilities;
  const connect = provider.auth.flatMap(choiceOf);
  return {
    id,
    name,
    capabilities: CAPABILITY_NAMES.filter((each) => capabilities[each] !== undefined),
    supportsAuth: connect.some(({ type }) => type !== 'host-supplied'),
    connect,
    syncs: Object.fromEntries(
      INCREMENTAL_NAMES.flatMap((each) => {
        const capability = capabilities[each];
        return capability ? [[each, syncOf(capability)] as const] : [];
      }),
    ),
    ...(fileImport && { imports: { accept: fileImport.accept, formats: sourcesOf(fileImport.sources) } }),
    limits: limits.map((each) => ({ ...each })),
    policy: { ...policy },
  };
}

function choiceOf(strategy: AuthStrategy): readonly ConnectChoice[] {
  if (strategy.type === 'file-import') return [];
  return [
    {
      type: strategy.type,
      fields: 'fields' in strategy ? strategy.fields.map((field) => ({ ...field })) : [],
      scopes: 'scopes' in strategy ? [...strategy.scopes] : [],
    },
  ];
}

function syncOf({ sources, intervalMs = DEFAULT_INTERVAL_MS, backfill }: IncrementalCapability): SyncDescription {
  return { sources: sourcesOf(sources), intervalMs, backfill };
}

function sourcesOf(sources: IncrementalCapability['sources']): readonly SourceDescription[] {
  return Object.entries(sources).map(([id, { name, precision }]) => ({ id, name, precision }));
}
