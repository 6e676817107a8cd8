import { McaError } from '@mca/core/adapter-kit';

/** Reasons by SQLite's primary result code. */
const REASONS: Readonly<Record<number, { readonly reason: string; readonly name: string; readonly hint?: string }>> = {
  5: { name: 'SQLITE_BUSY', reason: 'busy', hint: 'Another process held the write lock too long; try again.' },
  6: { name: 'SQLITE_LOCKED', reason: 'busy', hint: 'Another statement of this connection is in the way; try again.' },
  8: { name: 'SQLITE_READONLY', reason: 'read_only', hint: 'Open the database for writing.' },
  10: { name: 'SQLITE_IOERR', reason: 'io_error' },
  11: {
    name: 'SQLITE_CORRUPT',
    reason: 'corrupt',
    hint: 'Restore a backup; `PRAGMA integrity_check` says what is broken.',
  },
  13: { name: 'SQLITE_FULL', reason: 'disk_full', hint: 'Make room on the disk; nothing of this page was stored.' },
  14: { name: 'SQLITE_CANTOPEN', reason: 'cannot_open' },
  19: { name: 'SQLITE_CONSTRAINT', reason: 'constraint' },
  26: { name: 'SQLITE_NOTADB', reason: 'corrupt', hint: 'The file is not a SQLite database.' },
};

/**
 * Turns whatever a driver threw into an {@link McaError} `storage`. Errors that are ours already pass through.
 *
 * The driver's message is left to `cause`: a message of ours must never carry a user's data.
 */
export function storageError(error: unknown): McaError {
  if (McaError.isInstance(error)) return error;
  const code = primaryCode(error);
  const known = code === undefined ? undefined : REASONS[code];
  if (known) {
    return new McaError({
      code: 'storage',
      reason: known.reason,
      message: `SQLite failed with ${known.name}.`,
      hint: known.hint,
      retryable: known.reason === 'busy',
      cause: error,
    });
  }
  if (isClosed(error)) {
    return new McaError({ code: 'storage', reason: 'closed', message: 'The SQLite database is closed.', cause: error });
  }
  return new McaError({ code: 'storage', reason: 'driver_error', message: 'SQLite failed.', cause: error });
}

/** Whether somebody else held a lock that was needed. */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === 5;
}

/** SQLite's primary result code: node:sqlite gives the number, better-sqlite3 the name. */
function primaryCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { errcode, code } = error as { readonly errcode?: unknown; readonly code?: unknown };
  // The low byte is the primary code, the rest the extended one.
  if (typeof errcode === 'number') return errcode & 0xff;
  if (typeof code !== 'string') return undefined;
  const match = Object.entries(REASONS).find(([, { name }]) => code === name || code.startsWith(`${name}_`));
  return match && Number(match[0]);
}

function isClosed(error: unknown): boolean {
  return error instanceof Error && /database (connection )?is not open/.test(error.message);
}
