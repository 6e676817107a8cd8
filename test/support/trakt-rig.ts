import {
  addConnection,
  createRegistry,
  type McaEvent,
  queryItems,
  summarise,
  syncHistory,
  syncRatings,
} from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { type TraktOptions, trakt } from '@mca/core/providers/trakt';
import { fakeClock } from '@mca/core/testing';
import { TraktOAuth } from '../../providers/trakt/__fixtures__/oauth.ts';
import { AGENT, CLIENT, NOW, type ServerOptions, TraktServer } from '../../providers/trakt/__fixtures__/server.ts';

const WEEK = 7 * 86_400_000;
/** Whose history it is. */
export const ana = { userId: 'ana', provider: 'trakt' } as const;

/** What the rig is of, besides what the server holds. */
export interface RigOptions extends Omit<ServerOptions, 'isGood'> {
  readonly app?: Partial<TraktOptions>;
  readonly wantsSecret?: boolean;
  readonly onEvent?: (event: McaEvent) => void;
}

/** A registry, Trakt's API and its OAuth service, each at its own host, and nothing else in the world. */
export function rigOf({ app, wantsSecret = false, onEvent = () => {}, ...content }: RigOptions = {}) {
  const time = fakeClock(NOW);
  const oauth = new TraktOAuth({ now: time.clock.now, wantsSecret });
  const server = new TraktServer({ ...content, isGood: oauth.isGood });
  const world: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const { host } = new URL(request.url);
    if (host === 'auth.trakt.tv') return oauth.answer(request);
    if (host === 'api.trakt.tv') return server.answer(request);
    throw new TypeError(`there is no ${host}`);
  };
  const registry = createRegistry({
    providers: [trakt({ clientId: CLIENT, userAgent: AGENT, ...app })],
    ...memory({ clock: time.clock }),
    insecurePlaintextForTests: true,
    onEvent,
    env: { clock: time.clock, timers: time.timers, fetch: world },
  });
  const connect = () => {
    const credentials = { ...oauth.grant(), expiresAt: new Date(time.clock.now() + WEEK) };
    return time.until(addConnection(registry, { ...ana, credentials }));
  };
  const sync = (more: { readonly again?: 'everything' } = {}) => time.until(syncHistory(registry, { ...ana, ...more }));
  const syncRated = () => time.until(syncRatings(registry, ana));
  const stored = async () => (await queryItems(registry, { userId: 'ana', limit: 1_000 })).items;
  /** How many items there are. */
  const items = async () => (await summarise(registry, { userId: 'ana' })).items;
  return { time, oauth, server, registry, connect, sync, syncRated, stored, items };
}

export type Rig = ReturnType<typeof rigOf>;
