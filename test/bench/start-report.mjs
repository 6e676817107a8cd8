import { readFileSync } from 'node:fs';

/** Prints a sample of the harness: everything since the process began. */
export function reportStart() {
  const ms = performance.now();
  const { user, system } = process.cpuUsage();
  let peakMb = process.memoryUsage.rss() / 1_048_576;
  try {
    peakMb = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
  } catch {
    // No /proc: the resident set is the best there is.
  }
  console.log(JSON.stringify({ ms, cpuMs: (user + system) / 1000, peakMb, checksum: '' }));
}
