import { appendFileSync } from 'node:fs';
import { expect } from 'vitest';

/**
 * Notes the figure a test measured for a requirement of the reliability list; `docs/reliability.md` is made from it.
 * Appends a JSON line to the file named by `MCA_RELIABILITY_LOG`, and does nothing without it.
 */
export function recordFigure(id: string, figure: string): void {
  const log = process.env.MCA_RELIABILITY_LOG;
  if (!log) return;
  appendFileSync(log, `${JSON.stringify({ id, test: expect.getState().currentTestName, figure })}\n`);
}
