import type { ConnectStateVerbs } from '@mca/core/adapter-kit';
import type { State } from './state.ts';

/** Connect flows under way. */
export function connectStateVerbs(state: State): ConnectStateVerbs {
  return {
    async putConnectState(waiting) {
      const now = state.clock.now();
      for (const { hash, expiresAt } of [...state.connectStates.values()]) {
        if (expiresAt <= now) state.connectStates.delete(hash);
      }
      state.connectStates.set(waiting.hash, { ...waiting });
    },
    async takeConnectState(hash) {
      const waiting = state.connectStates.get(hash);
      state.connectStates.delete(hash);
      return waiting && waiting.expiresAt > state.clock.now() ? waiting : undefined;
    },
  };
}
