import type { DeviceStep } from '@mca/core';

/** Whose code it is, and what for. */
export interface DeviceFlow {
  readonly userId: string;
  readonly provider: string;
  readonly connectionId: string | undefined;
}

/** Codes that are still good, so that a page that is opened again shows the same one. A code is made for being shown. */
export class DeviceFlows {
  readonly #steps = new Map<string, DeviceStep>();
  readonly #underWay = new Map<string, Promise<unknown>>();

  /** The code that is good now. */
  of(flow: DeviceFlow): DeviceStep | undefined {
    const step = this.#steps.get(keyOf(flow));
    return step && step.expiresAt.getTime() > Date.now() ? step : undefined;
  }

  /** Keeps a code to its end; those that have ended go. */
  keep(flow: DeviceFlow, step: DeviceStep): void {
    for (const [key, { expiresAt }] of this.#steps) if (expiresAt.getTime() <= Date.now()) this.#steps.delete(key);
    this.#steps.set(keyOf(flow), step);
  }

  forget(flow: DeviceFlow): void {
    this.#steps.delete(keyOf(flow));
  }

  /** One at a time for each name: a click on the button while the script is asking gets the same answer. */
  once<Result>(name: string, run: () => Promise<Result>): Promise<Result> {
    const known = this.#underWay.get(name) as Promise<Result> | undefined;
    if (known) return known;
    const running = run().finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, running);
    return running;
  }
}

function keyOf({ userId, provider, connectionId = '' }: DeviceFlow): string {
  return JSON.stringify([userId, provider, connectionId]);
}
