/**
 * Postgres holds every text but those with U+0000. It goes in as U+0001 U+0001, and U+0001 itself as U+0001 U+0002:
 * reversible, different texts stay different, and the order by code point stays what it was.
 */
export function escapeText(text: string): string {
  return text.includes('\0') || text.includes(MARK) ? text.replace(/[\0\x01]/g, escapeUnit) : text;
}

/** The text that was escaped. */
export function unescapeText(text: string): string {
  return text.includes(MARK) ? text.replace(/\x01[\x01\x02]/g, unescapePair) : text;
}

const MARK = '\x01';

function escapeUnit(unit: string): string {
  return unit === '\0' ? '\x01\x01' : '\x01\x02';
}

function unescapePair(pair: string): string {
  return pair === '\x01\x01' ? '\0' : '\x01';
}
