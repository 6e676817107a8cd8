import type { StandardSchema } from '../contracts/standard-schema.ts';

/**
 * A schema for the options of one import call: the factory's defaults, then what the call says, then validation.
 * Objects one level down (`skip`) merge key by key.
 */
export function withDefaults<Output, Input>(
  schema: StandardSchema<Output, Input>,
  defaults: Input | undefined,
): StandardSchema<Output, Input> {
  return {
    '~standard': {
      version: 1,
      vendor: 'mca',
      validate: (value) => schema['~standard'].validate(merge(defaults, value ?? {})),
    },
  };
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
