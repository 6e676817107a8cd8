import type { Coverage } from '../contracts/import-record.ts';

/** Coverage as JSON text. */
export function encodeCoverage(coverage: readonly Coverage[]): string {
  return JSON.stringify(coverage);
}

/** The coverage of a JSON text. */
export function decodeCoverage(text: string): readonly Coverage[] {
  const stretches = JSON.parse(text) as (Omit<Coverage, 'from' | 'to'> & { from: string; to: string })[];
  return stretches.map(({ from, to, ...rest }) => ({ ...rest, from: new Date(from), to: new Date(to) }));
}

/**
 * Coverage without the time that an undone import told of: its rows are gone, also where another import had met them,
 * so nobody may claim to tell of that time any more.
 */
export function withoutCoverage(coverage: readonly Coverage[], undone: readonly Coverage[]): readonly Coverage[] {
  return undone.reduce<readonly Coverage[]>(
    (rest, gone) => rest.flatMap((stretch) => without(stretch, gone)),
    coverage,
  );
}

function without(stretch: Coverage, gone: Coverage): readonly Coverage[] {
  const isOther =
    stretch.platform !== gone.platform || stretch.source !== gone.source || stretch.account !== gone.account;
  if (isOther || gone.to < stretch.from || stretch.to < gone.from) return [stretch];
  return [
    { ...stretch, to: new Date(gone.from.getTime() - 1) },
    { ...stretch, from: new Date(gone.to.getTime() + 1) },
  ].filter(({ from, to }) => from <= to);
}
