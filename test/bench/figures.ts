import { readFileSync, writeFileSync } from 'node:fs';
import { machine } from './harness.ts';

const FILE = new URL('../../docs/performance.md', import.meta.url);

/** Puts figures into `docs/performance.md`, between the marks of their benches. The text around them is written by hand. */
export function writeFigures(measured: ReadonlyMap<string, string>, rounds: number): void {
  let text = readFileSync(FILE, 'utf8');
  for (const [name, figures] of measured) {
    const [start, end] = [`<!-- figures of ${name} -->`, `<!-- end of ${name} -->`];
    const [from, to] = [text.indexOf(start), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`docs/performance.md has no place for ${name}: ${start} … ${end}`);
    const body = `${start}\nMeasured on ${machine()}; ${rounds} rounds.\n\n${figures.trim()}\n`;
    text = text.slice(0, from) + body + text.slice(to);
  }
  writeFileSync(FILE, text);
}
