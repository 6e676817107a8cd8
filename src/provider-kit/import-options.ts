import { McaError } from '../contracts/errors.ts';
import type { StandardSchema } from '../contracts/standard-schema.ts';

/**
 * A schema for the options of one import call: the factory's defaults, then what the call says, then validation.
 * Objects one level down (`skip`) merge key by key.
 *
 * @param provider - its id, for the message
 * @throws McaError `configuration` when the factory's own defaults are wrong: a misspelt option is found when the app starts
 */
export function withDefaults<Output, Input>(
  schema: StandardSchema<Output, Input>,
  defaults: Input | undefined,
  provider?: string,
): StandardSchema<Output, Input> {
  assertValid(schema as StandardSchema<unknown, unknown>, defaults, provider);
  return {
    '~standard': {
      version: 1,
      vendor: 'mca',
      validate: (value) => schema['~standard'].validate(merge(defaults, value ?? {})),
    },
  };
}

function assertValid(schema: StandardSchema<unknown, unknown>, defaults: unknown, provider: string | undefined): void {
  const result = schema['~standard'].validate(defaults ?? {});
  // A schema that needs time is asked again at the first import.
  if (result instanceof Promise || !result.issues) return;
  const faults = result.issues.map(({ message, path = [] }) =>
    [...path.map((part) => String(typeof part === 'object' ? part.key : part)), message].join(': '),
  );
  throw new McaError({
    code: 'configuration',
    reason: 'invalid_options',
    provider,
    message: `The ${provider ?? "provider's"} options are wrong: ${faults.join('; ')}.`,
    hint: 'See the README of the provider.',
  });
}

function merge(defaults: unknown, given: unknown): unknown {
  if (!isRecord(defaults) || !isRecord(given)) return given ?? defaults;
  const merged: Record<string, unknown> = { ...defaults };
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const before = merged[key];
    merged[key] = isRecord(before) && isRecord(value) ? { ...before, ...value } : value;
  }
  return merged;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
