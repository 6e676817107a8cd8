import type { AuthStrategy } from './auth.ts';
import type { CapabilityMap, CapabilityName, FileImportCapability } from './capabilities/index.ts';
import type { ErrorRule } from './error-rule.ts';

/** At most so many requests in so long, counted per client id (`app`) or per connection. */
export interface RateLimit {
  readonly scope: 'app' | 'connection';
  readonly requests: number;
  readonly perMs: number;
  /** Requests in flight at once. @default no limit */
  readonly concurrency?: number | undefined;
}

/** What the service's terms ask of whoever keeps its data. Facts for the host, defaults for the core. */
export interface DataPolicy {
  /** Longest time API data may be kept without a refresh, in days. */
  readonly retentionDays?: number | undefined;
  /** The service forbids feeding its data to machine learning. */
  readonly noMachineLearning?: boolean | undefined;
  /** The service forbids copying its data to another service. */
  readonly noServiceToService?: boolean | undefined;
  /** Text the host has to show next to the data. */
  readonly attribution?: string | undefined;
  /** Whether the rules reach files that users exported themselves. @default false */
  readonly appliesToExports?: boolean | undefined;
  /** Where the rules are written. */
  readonly source?: string | undefined;
}

/** One media service: a plain, stateless object made by a named factory. */
export interface Provider<
  Id extends string = string,
  Capabilities extends Partial<CapabilityMap> = Partial<CapabilityMap>,
> {
  readonly apiVersion: 1;
  /** Unique: lower-case letters, digits and dashes, a letter first, at most 63 characters. Also the platform of its items. */
  readonly id: Id;
  /** Name people know. */
  readonly name: string;
  /** Root of its API, when it has one. Every factory lets hosts override it. */
  readonly baseUrl?: string | undefined;
  /** Hosts it may call besides those of `baseUrl` and of its auth endpoints. Calls to any other are refused. */
  readonly hosts?: readonly string[] | undefined;
  readonly auth: readonly AuthStrategy[];
  /** No entry means no limiter at all. */
  readonly limits: readonly RateLimit[];
  /** What the service's error answers mean. @default the meaning of the HTTP status */
  readonly errors?: readonly ErrorRule[] | undefined;
  readonly policy: DataPolicy;
  readonly capabilities: Capabilities;
}

/** A provider whose capabilities are not known to the compiler. */
export type AnyProvider = Provider<string, Partial<CapabilityMap>>;

declare const addedId: unique symbol;

/** Id of a provider added at run time; fits wherever a provider id is asked for and is checked when used. */
export type AddedProviderId = string & { readonly [addedId]: true };

declare const missing: unique symbol;

/** Ids of the providers among `P` that have capability `C`. */
export type ProviderIdWith<P extends readonly AnyProvider[], C extends CapabilityName> =
  | { [I in keyof P]: C extends keyof P[I]['capabilities'] ? P[I]['id'] : never }[number]
  | AddedProviderId
  // Nothing is of this type. It keeps the compiler naming `C` where no provider of `P` has it.
  | (string & { readonly [missing]: true });

/** A provider that reads files, with `Input` as the options of one import. */
export type FileImportProvider<Id extends string, Input = unknown> = Provider<
  Id,
  // biome-ignore lint/suspicious/noExplicitAny: what the importer makes of its options is its own business
  { readonly fileImport: FileImportCapability<any, Input> }
>;

/** Options of one file import of provider `Id` among `P`. */
export type ImportOptionsOf<P extends readonly AnyProvider[], Id extends string> = Extract<
  P[number],
  { readonly id: Id }
>['capabilities'] extends {
  readonly fileImport: FileImportCapability<infer _Options, infer Input>;
}
  ? Input
  : Readonly<Record<string, unknown>>;
