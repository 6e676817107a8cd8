import { existsSync } from 'node:fs';

const FAKETIME = '/usr/bin/faketime';

/** Whether processes can be started on a clock that is wrong. In CI they must be. */
export function hasFaketime(): boolean {
  if (existsSync(FAKETIME)) return true;
  if (process.env.CI) throw new Error('There is no faketime on this machine; CI has to have one.');
  console.error('NOT TESTED: processes whose clocks are wrong. There is no faketime on this machine.');
  return false;
}

/**
 * What starts a program whose clock is so many minutes ahead. It then replaces itself by the program: the process is the
 * program's. What measures intervals is left alone.
 */
export function onClock(
  minutes: number,
  command: string,
  args: readonly string[],
): { readonly command: string; readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> } {
  const offset = `${minutes < 0 ? '' : '+'}${minutes}m`;
  return {
    command: FAKETIME,
    args: ['-m', '-f', offset, command, ...args],
    env: { FAKETIME_DONT_FAKE_MONOTONIC: '1' },
  };
}
