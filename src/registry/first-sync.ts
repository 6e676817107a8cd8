import type { IncrementalName } from '../contracts/capabilities/index.ts';
import type { Connection } from '../contracts/connection.ts';

/** Setting of a connection that keeps the choice of when it was connected; that of one capability goes before it. */
export const FIRST_SYNC_SETTING = 'mca.firstSync';

/** What the first sync of a connection fetches: everything, or what happened since the account was connected. */
export type FirstSync = 'everything' | 'new';

/** What was chosen for a connection, and a capability of it. */
export function firstSyncOf(
  { settings }: Pick<Connection, 'settings'>,
  capability?: IncrementalName | undefined,
): FirstSync {
  const own = capability && settings[settingOf(capability)];
  return (own ?? settings[FIRST_SYNC_SETTING]) === 'new' ? 'new' : 'everything';
}

/** Settings that keep the choice. */
export function withFirstSync(
  settings: Connection['settings'],
  firstSync: FirstSync,
  capability?: IncrementalName | undefined,
): Connection['settings'] {
  return { ...settings, [capability ? settingOf(capability) : FIRST_SYNC_SETTING]: firstSync };
}

function settingOf(capability: IncrementalName): string {
  return `${FIRST_SYNC_SETTING}.${capability}`;
}
