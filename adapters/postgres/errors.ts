import { McaError } from '@mca/core/adapter-kit';

interface Failure {
  readonly reason: string;
  readonly message: string;
  readonly hint?: string;
  readonly retryable?: boolean;
}

const LOST: Failure = {
  reason: 'connection_lost',
  message: 'The connection to Postgres was lost or could not be made.',
  hint: 'Try again when the server is there; whatever was not answered may or may not have been stored, and may be repeated.',
  retryable: true,
};
const BUSY: Failure = {
  reason: 'busy',
  message: 'Another transaction of Postgres was in the way.',
  hint: 'Try again; nothing was stored.',
  retryable: true,
};
const TIMEOUT: Failure = {
  reason: 'timeout',
  message: 'Postgres took too long and the statement was cancelled.',
  hint: 'Raise statement_timeout or query_timeout, or ask for less at once. What was written may be written again.',
  retryable: true,
};
const DISK_FULL: Failure = {
  reason: 'disk_full',
  message: 'Postgres has no room left on its disk.',
  hint: 'Make room on the disk; nothing of this was stored.',
};
const TOO_MANY: Failure = {
  reason: 'too_many_connections',
  message: 'Postgres accepts no more connections.',
  hint: 'Give the pool fewer connections, or put a pooler in front of the server.',
  retryable: true,
};
const NO_SCHEMA: Failure = {
  reason: 'schema_missing',
  message: 'A table of the adapter is not there.',
  hint: 'Call storage.migrate() with a role that may create tables in the schema.',
};

/** By SQLSTATE, or by its class: its first two characters. */
const FAILURES: Readonly<Record<string, Failure>> = {
  '08': LOST,
  '57P01': LOST,
  '57P02': LOST,
  '57P03': LOST,
  '57P05': LOST,
  '25P02': BUSY,
  '25P03': { ...TIMEOUT, message: 'Postgres closed a transaction that stood idle for too long.' },
  '25P04': TIMEOUT,
  '40': BUSY,
  '54': {
    reason: 'too_large',
    message: 'A value is larger than Postgres takes in that place.',
    hint: 'Ids of users, connections and imports go into indexes: some hundred characters are the most.',
  },
  '55P03': BUSY,
  '57014': TIMEOUT,
  '53100': DISK_FULL,
  '53200': { reason: 'out_of_memory', message: 'Postgres ran out of memory.', retryable: true },
  '53300': TOO_MANY,
  '25006': {
    reason: 'read_only',
    message: 'Postgres takes no writes.',
    hint: 'Use the primary server, and a database that is not read-only.',
  },
  '42501': {
    reason: 'permission',
    message: 'The role of the pool may not do this in Postgres.',
    hint: 'Grant it USAGE on the schema and SELECT, INSERT, UPDATE, DELETE on its tables and USAGE, SELECT on its sequences; CREATE to migrate.',
  },
  '28': {
    reason: 'permission',
    message: 'Postgres refused the role or its password.',
    hint: 'Check the connection settings of the pool.',
  },
  '23': { reason: 'constraint', message: 'Postgres refused a row that conflicts with another one.' },
  '42P01': NO_SCHEMA,
  '3F000': NO_SCHEMA,
  '42883': NO_SCHEMA,
  '3D000': { reason: 'cannot_open', message: 'The database of the pool does not exist.' },
  XX001: { reason: 'corrupt', message: 'Postgres found damaged data.', hint: 'Restore a backup.' },
  XX002: { reason: 'corrupt', message: 'Postgres found a damaged index.', hint: 'REINDEX, or restore a backup.' },
};

/** Errors of the connection itself, as Node names them. */
const LOST_CODES = /^(?:ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ENOENT$)/;
const LOST_MESSAGES = /connection terminated|connection error and is not queryable|server closed the connection/i;
const CLOSED_MESSAGES = /after calling end on the pool|pglite is clos|client was closed/i;
/** `query_timeout` of pg: the driver gave up, and the server may still be at it. */
const SLOW_MESSAGES = /query read timeout/i;
const WAITED_MESSAGES = /timeout exceeded when trying to connect/i;

/**
 * Turns whatever a driver threw into an {@link McaError} `storage`. Errors that are ours already pass through.
 *
 * The driver's message is left to `cause`: a message of ours must never carry a user's data.
 */
export function storageError(error: unknown): McaError {
  if (McaError.isInstance(error)) return error;
  const failure = failureOf(error);
  return new McaError({ code: 'storage', retryable: false, ...failure, cause: error });
}

function failureOf(error: unknown): Failure {
  const code = codeOf(error);
  const known = FAILURES[code] ?? FAILURES[code.slice(0, 2)];
  if (known && /^[0-9A-Z]{5}$/.test(code)) return known;
  const message = error instanceof Error ? error.message : '';
  if (CLOSED_MESSAGES.test(message))
    return { reason: 'closed', message: 'The pool of Postgres connections is closed.' };
  if (SLOW_MESSAGES.test(message)) return TIMEOUT;
  if (WAITED_MESSAGES.test(message)) {
    return { ...TOO_MANY, message: 'No connection of the pool became free in time.' };
  }
  if (LOST_CODES.test(code) || LOST_MESSAGES.test(message)) return LOST;
  return { reason: 'driver_error', message: 'Postgres failed.' };
}

/** Whether the same work may well succeed when it is done once more: a deadlock, or two transactions that cannot be put in order. */
export function isRepeatable(error: unknown): boolean {
  return ['40P01', '40001'].includes(codeOf(error));
}

/** SQLSTATE of the server or error code of Node. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { code } = error as { readonly code?: unknown };
  if (typeof code === 'string') return code;
  // Node tries all addresses of a name and reports all failures together.
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return '';
}
