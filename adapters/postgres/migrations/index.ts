import { initial } from './0001-initial.ts';

/** What a migration has to know about the schema it is for. */
export interface Place {
  /** Its name as SQL. */
  readonly schema: string;
  /** First key of the advisory locks that guard its feed. */
  readonly feedLock: number;
}

/** One step of the schema. Once released it never changes; what is wrong with it is put right by a later one. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  statements(place: Place): readonly string[];
}

/** All steps, oldest first. */
export const MIGRATIONS: readonly Migration[] = [initial];
