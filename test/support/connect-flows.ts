import { beginConnect, continueConnect } from '../../src/auth/connect.ts';
import type { ConnectedStep, ConnectStep, RedirectStep } from '../../src/auth/connect-steps.ts';
import type { AuthRig } from './auth-rig.ts';

export const REDIRECT = 'https://your.app/connect/fake/callback';
export const ANA = { userId: 'ana', provider: 'fake', sessionBinding: 'session 1', redirectUri: REDIRECT };
export const DAY = 86_400_000;
export const never = new AbortController().signal;

export async function failure(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    (value) => new Error(`answered ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  const { code, reason, message } = error as { code?: string; reason?: string; message: string };
  return code ? `${code} ${reason}` : message;
}

export async function redirected(rig: AuthRig, options: object = {}): Promise<RedirectStep> {
  const step = await beginConnect(rig.registry, { ...ANA, ...options });
  if (step.step !== 'redirect') throw new Error(`The step is ${step.step}.`);
  return step;
}

/** What the browser comes back with. */
export async function approved(rig: AuthRig, step: RedirectStep): Promise<URLSearchParams> {
  const response = await rig.oauth.handle(new Request(step.url));
  return new URL(response.headers.get('location') ?? '').searchParams;
}

export async function connect(rig: AuthRig, options: object = {}): Promise<ConnectedStep> {
  const query = await approved(rig, await redirected(rig, options));
  return connectedStep(await continueConnect(rig.registry, { ...ANA, query, ...options }));
}

export function connectedStep(step: ConnectStep): ConnectedStep {
  if (step.step !== 'connected') throw new Error(`The step is ${step.step}.`);
  return step;
}

export const tokenCalls = (rig: AuthRig): number =>
  rig.oauth.calls.filter(({ endpoint }) => endpoint === 'token').length;
