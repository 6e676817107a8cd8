import type { Connection } from '../contracts/connection.ts';
import { McaError } from '../contracts/errors.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { randomId } from '../runtime/env.ts';

/** How long before a consent ends the first warning is given, in milliseconds. */
export const FIRST_WARNING_MS: number = 1_209_600_000;
const LAST_WARNING_MS = 259_200_000;
/** Where a connection's settings remember which warnings were given. */
const TOLD = 'mca.reauthDueTold';

/** The parts of a connection that say where something happened. */
export type Place = Pick<Connection, 'id' | 'userId' | 'provider'>;

/** The fields of an event that happened to a connection. */
export function atConnection({ id, userId, provider }: Place): {
  readonly connectionId: string;
  readonly userId: string;
  readonly provider: string;
} {
  return { connectionId: id, userId, provider };
}

/** Marks a connection as one that only its user can bring back, and tells it once. */
export async function requireReauth(registry: AnyRegistry, place: Place, reason: string): Promise<void> {
  const [connection] = await registry.storage.listConnections({ id: place.id });
  if (!connection || connection.status === 'disconnected') return;
  if (connection.status === 'needs_reauth' && connection.statusReason === reason) return;
  // The host may have switched it off meanwhile; that stays.
  const status = connection.status === 'disabled' ? 'disabled' : 'needs_reauth';
  await registry.storage.updateConnection(place.id, { status, statusReason: reason });
  registry.emit({ type: 'reauth_required', ...atConnection(place), reason });
}

/** The error that follows from it. */
export function needsReauth(place: Pick<Place, 'provider'>, reason: string): McaError {
  return new McaError({
    code: 'auth_expired',
    reason,
    provider: place.provider,
    message: 'The connection works again only after the user has connected the account anew.',
    hint: 'Call beginConnect for the same provider with its connectionId; what was imported stays.',
  });
}

/**
 * Tells the host that a user's consent will end, 14 and 3 days before, each once. Seldom asked and cheap: it writes only
 * when there is something to tell.
 */
export async function warnOfReauth(registry: AnyRegistry, connection: Connection, now: number): Promise<void> {
  const endsAt = connection.authorizationExpiresAt?.getTime();
  if (endsAt === undefined || !hasReauthWarning(connection, now)) return;
  const { storage, env } = registry;
  // Whoever does not get the lease leaves it to whoever has it: the next sync asks again.
  const lease = await storage.acquireLease({
    resource: `refresh:${connection.id}`,
    owner: randomId(env.random),
    ttlMs: 10_000,
  });
  if (!lease) return;
  try {
    const [current] = await storage.listConnections({ id: connection.id });
    const daysLeft = current && dueWarning(current, endsAt, now);
    if (!current || daysLeft === undefined) return;
    // Remembered first: a warning that is lost in a crash is better than one every minute of a crash loop.
    await storage.updateConnection(connection.id, {
      settings: { ...current.settings, [TOLD]: { endsAt, daysLeft } },
    });
    registry.emit({
      type: 'reauth_due',
      ...atConnection(connection),
      authorizationExpiresAt: new Date(endsAt),
      daysLeft,
    });
  } finally {
    await storage.releaseLease(lease);
  }
}

/** Whether there is a warning to give. */
export function hasReauthWarning(connection: Connection, now: number): boolean {
  const endsAt = connection.authorizationExpiresAt?.getTime();
  return endsAt !== undefined && connection.status === 'active' && dueWarning(connection, endsAt, now) !== undefined;
}

/** The warning to give now, if it was not given for this consent before. */
function dueWarning(connection: Connection, endsAt: number, now: number): 14 | 3 | undefined {
  const leftMs = endsAt - now;
  const daysLeft = leftMs <= LAST_WARNING_MS ? 3 : leftMs <= FIRST_WARNING_MS ? 14 : undefined;
  if (daysLeft === undefined || leftMs <= 0) return undefined;
  const told = connection.settings[TOLD] as { readonly endsAt?: unknown; readonly daysLeft?: unknown } | undefined;
  const isTold = told?.endsAt === endsAt && typeof told.daysLeft === 'number' && told.daysLeft <= daysLeft;
  return isTold ? undefined : daysLeft;
}
