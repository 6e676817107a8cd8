import type { Connection } from '../contracts/connection.ts';

/** Setting of a connection that keeps the choice. */
export const FIRST_SYNC_SETTING = 'mca.firstSync';

/** What the first sync of a connection fetches: everything, or what happened since the account was connected. */
export type FirstSync = 'everything' | 'new';

/** What was chosen for a connection. */
export function firstSyncOf({ settings }: Pick<Connection, 'settings'>): FirstSync {
  return settings[FIRST_SYNC_SETTING] === 'new' ? 'new' : 'everything';
}

/** Settings that keep the choice. */
export function withFirstSync(settings: Connection['settings'], firstSync: FirstSync): Connection['settings'] {
  return { ...settings, [FIRST_SYNC_SETTING]: firstSync };
}
