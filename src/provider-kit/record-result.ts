import type { MediaItem } from '../contracts/media-item.ts';

/** The record was left out on purpose. */
export interface Skipped {
  readonly skip: string;
}

/** The record could not be read. */
export interface Rejected {
  readonly reject: string;
  readonly field?: string | undefined;
  readonly message: string;
}

/** What becomes of one record of a file: exactly one of these. */
export type RecordResult = MediaItem | Skipped | Rejected;

/**
 * Leaves a record out on purpose; it is counted by its reason.
 *
 * @param reason - snake_case, such as `ad` or `incognito`
 */
export function skip(reason: string): Skipped {
  return { skip: reason };
}

/**
 * Reports a record that cannot be read; the reader adds file and position.
 *
 * @param reason - snake_case, such as `invalid_date`
 * @param message - what is wrong, without the content of the cell: it is somebody's private history
 * @param field - column or key at fault
 */
export function reject(reason: string, message: string, field?: string): Rejected {
  return { reject: reason, message, field };
}
