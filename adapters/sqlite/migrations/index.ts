import { initial } from './0001-initial.ts';
import { liveSync } from './0002-live-sync.ts';

/** One step of the schema. Once released it never changes; what is wrong with it is put right by a later one. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** All steps, oldest first. */
export const MIGRATIONS: readonly Migration[] = [initial, liveSync];
