import { McaError } from '../contracts/errors.ts';
import { isSecretName, REDACTED, redact } from '../runtime/redaction.ts';
import type { CassetteScrub } from './cassettes.ts';

/** Shorter values stand in every other word. */
const SHORTEST_NAMED = 4;
/** What is learnt by itself must be sure to be a secret, not the `1` of `key=1`. */
const SHORTEST_LEARNT = 8;
/** Named after tokens, and always the same word. */
const HARMLESS = ['token_type', 'token_type_hint'];

/** Takes secrets out of what goes into a file, and remembers those it met. */
export interface Scrub {
  /** Learns the secrets of a request. */
  learn(request: Request, body: string): void;
  /** Learns the secrets of an answer's body. */
  learnAnswer(body: string | undefined): void;
  /** Value of a query parameter. */
  parameter(name: string, value: string): string;
  /** A whole text that is no JSON. */
  text(text: string): string;
  /** A text without structure, such as a title: only known values go. */
  leaf(text: string): string;
  json(value: unknown): unknown;
  /** @throws McaError `configuration` `secret_in_cassette` */
  assertClean(text: string): void;
}

/** Makes a {@link Scrub}. */
export function scrubber({ values = [], names = [], keep = [] }: CassetteScrub): Scrub {
  const tooShort = values.find((value) => value.length < SHORTEST_NAMED);
  if (tooShort !== undefined) {
    throw new McaError({
      code: 'configuration',
      reason: 'value_too_short',
      message: `A value to scrub has fewer than ${SHORTEST_NAMED} characters, and would go out of every other word.`,
      hint: 'Name the field it stands in with scrub.names instead.',
    });
  }
  const secrets = new Set(values);
  const named = new Set(names.map((name) => name.toLowerCase()));
  const kept = new Set([...HARMLESS, ...keep].map((name) => name.toLowerCase()));
  const known = (): readonly string[] => [...secrets];

  const isSecret = (name: string, byName: (name: string) => boolean): boolean =>
    named.has(name.toLowerCase()) || (!kept.has(name.toLowerCase()) && byName(name));

  function learnValue(value: unknown): void {
    if (typeof value === 'string' && value.length >= SHORTEST_LEARNT && value !== REDACTED) secrets.add(value);
  }

  function learnForm(form: URLSearchParams): void {
    for (const [name, value] of form) if (isSecret(name, isSecretName)) learnValue(value);
  }

  /** Visits every field of a JSON body; answers what it becomes. */
  function walk(value: unknown, secret: (value: unknown) => unknown, leaf: (text: string) => string): unknown {
    if (Array.isArray(value)) return value.map((each) => walk(each, secret, leaf));
    if (typeof value === 'string') return leaf(value);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => {
        const isValue = typeof each === 'string' || typeof each === 'number';
        return [name, isValue && isSecret(name, isSecretField) ? secret(each) : walk(each, secret, leaf)];
      }),
    );
  }

  function learnBody(text: string): void {
    try {
      walk(JSON.parse(text), learnValue, (leaf) => leaf);
    } catch {
      if (/^[\w.%[\]+-]+=/.test(text)) learnForm(new URLSearchParams(text));
    }
  }

  function leaf(text: string): string {
    // By its rules for parameters and headers `redact` would take words out of titles: those are for addresses only.
    const isAddress = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
    const holdsSecret = redact(text, known()) !== redact(text);
    return isAddress || holdsSecret ? redact(text, known()) : text;
  }

  return {
    learn(request, body) {
      for (const [name, value] of request.headers) {
        if (!isSecret(name, isSecretField)) continue;
        learnValue(value);
        // `Bearer abc`, `Token abc`: the word before it is no secret, what follows is.
        learnValue(value.split(' ').at(-1));
      }
      learnForm(new URL(request.url).searchParams);
      learnBody(body);
    },
    learnAnswer(body) {
      if (body !== undefined) learnBody(body);
    },
    parameter: (name, value) => (isSecret(name, isSecretName) ? REDACTED : leaf(value)),
    text: (text) => redact(text, known()),
    leaf,
    json: (value) => walk(value, () => REDACTED, leaf),
    assertClean(text) {
      if (known().some((value) => occursIn(text, value))) throw unclean();
    },
  };
}

/** Whether a field of a JSON body or a header of this name holds a secret. Short names are harmless there. */
function isSecretField(name: string): boolean {
  return redact(JSON.stringify({ [name]: 'value' })).includes(REDACTED);
}

/** Plain, escaped, percent-encoded, or somewhere inside of Base64. */
function occursIn(text: string, value: string): boolean {
  const spellings = [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    new URLSearchParams({ v: value }).toString().slice(2),
  ];
  const lower = text.toLowerCase();
  if (spellings.some((spelling) => lower.includes(spelling.toLowerCase()))) return true;
  const encoded = text.match(/[\w+/-]{8,}={0,2}/g) ?? [];
  return encoded.some((each) => Buffer.from(each, 'base64').includes(value));
}

function unclean(): McaError {
  return new McaError({
    code: 'configuration',
    reason: 'secret_in_cassette',
    message: 'A secret would be in the cassette. Nothing was written.',
    hint: 'It stands where it cannot be taken out: in a binary body, inside Base64, or in the name of a field. Record another exchange.',
  });
}
