import type { PoisonRecord } from '../contracts/capabilities/history.ts';
import type { ParkedRecord } from '../contracts/storage/index.ts';

const MAX_RAW = 16_384;

/** A record as it is kept for inspection and replay: as JSON without secrets, at most 16 KiB of it. */
export function parkedRecord(capability: string, { reason, message, raw }: PoisonRecord): ParkedRecord {
  const json = JSON.stringify(raw ?? null, withoutSecrets);
  // Half a JSON text can still be looked at; replaying it fails with a clear error.
  return { capability, reason, message, raw: json.length > MAX_RAW ? json.slice(0, MAX_RAW) : json };
}

const SECRET_NAME = /token|secret|password|passwd|authorization|cookie|api_?key|session_?key/i;

/** A record as JSON tells it, without secrets. */
export function redacted(raw: unknown): unknown {
  return JSON.parse(JSON.stringify(raw ?? null, withoutSecrets)) as unknown;
}

/** By the names of fields only: texts stay as they are, or keys made of them would be other ones when replayed. */
function withoutSecrets(name: string, value: unknown): unknown {
  return SECRET_NAME.test(name) && typeof value === 'string' ? '[redacted]' : value;
}
