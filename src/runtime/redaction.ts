/** What stands where a secret stood. */
export const REDACTED = '[redacted]';

/** Names that say little by themselves: secret as a parameter of an address or form, harmless in a sentence. */
const SHORT_NAMES: ReadonlySet<string> = new Set([
  'p',
  't',
  's',
  'sk',
  'key',
  'code',
  'state',
  'auth',
  'sig',
  'pass',
  'pwd',
]);

/** Names that mean a secret wherever they stand: in an address, a form, JSON or a header. */
const LONG_NAMES =
  /token|secret|passw|api[-_]?key|api[-_]?sig|signature|authorization|credential|session[-_]?(?:key|id)|cookie|code[-_]verifier|device[-_]code|user[-_]code/i;

/** Whether a parameter, field or header of this name may hold a secret. */
export function isSecretName(name: string): boolean {
  const plain = decode(name).toLowerCase();
  return SHORT_NAMES.has(plain) || LONG_NAMES.test(plain);
}

/**
 * A text without the secrets in it: parameters of addresses and forms, JSON fields, headers and userinfo by their names,
 * and the given values wherever they stand, plain, percent-encoded, form-encoded or in Base64.
 */
export function redact(text: string, values: readonly string[] = []): string {
  let safe = text;
  // Values first: afterwards their surroundings may be gone and with them what ends a value.
  for (const spelling of spellingsOf(values)) safe = safe.replaceAll(spelling, REDACTED);
  return (
    safe
      .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/?#@]*@/gi, `$1${REDACTED}@`)
      // Authorization before parameters: its value holds spaces.
      .replace(/\b(bearer|basic)\s+[\w+/=.~-]{6,}/gi, `$1 ${REDACTED}`)
      .replace(
        /(["'])([\w%-]+)\1(\s*:\s*)(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[\w.+-]+)/g,
        (whole, quote, name, colon) =>
          LONG_NAMES.test(name) || /^(?:sk|key|pass|pwd)$/i.test(name)
            ? `${quote}${name}${quote}${colon}"${REDACTED}"`
            : whole,
      )
      .replace(/(^|[?&;#\s"'(])([\w.%[\]-]+)=([^&;#\s"')]*)/g, (whole, before, name, value) =>
        isSecretName(name) && value !== '' ? `${before}${name}=${REDACTED}` : whole,
      )
      .replace(/^([ \t]*)([\w-]+):[ \t]*(\S.*)$/gm, (whole, indent, name) =>
        LONG_NAMES.test(name) ? `${indent}${name}: ${REDACTED}` : whole,
      )
  );
}

/** Spellings of values a text may hold, longest first so that none leaves a tail of another. */
function spellingsOf(values: readonly string[]): readonly string[] {
  const spellings = new Set<string>();
  for (const value of values) {
    // Shorter ones stand in every other word.
    if (value.length < 4) continue;
    const encoded = encodeURIComponent(value);
    spellings
      .add(value)
      .add(encoded)
      .add(encoded.toLowerCase())
      .add(new URLSearchParams({ v: value }).toString().slice(2));
    spellings.add(JSON.stringify(value).slice(1, -1));
    spellings.add(base64(value));
  }
  return [...spellings].sort((a, b) => b.length - a.length);
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
