/** A part of a form with a file: its name, and its bytes as they come. Read each part to its end before the next. */
export interface FormPart {
  readonly name: string;
  /** Set for files. As the browser says: to be shown and matched, never a path. */
  readonly fileName: string | undefined;
  readonly bytes: AsyncGenerator<Buffer, void, undefined>;
}

const MOST_HEADER_BYTES = 8_192;

/**
 * Reads `multipart/form-data` part by part, in constant memory.
 *
 * @throws Error when the body is no such form, or ends too early
 */
export async function* formParts(
  contentType: string | undefined,
  chunks: AsyncGenerator<Buffer, void, undefined>,
): AsyncGenerator<FormPart, void, undefined> {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,70})"|([^;\s]{1,70}))/i.exec(contentType ?? '') ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw new Error('not a form');
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  // The first delimiter has no line before it.
  let held: Buffer = Buffer.from('\r\n');

  async function more(): Promise<void> {
    const { value, done } = await chunks.next();
    if (done) throw new Error('the form ends too early');
    held = Buffer.concat([held, value]);
  }

  /** Everything up to the delimiter, which is taken off. */
  async function* untilDelimiter(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const end = held.indexOf(delimiter);
      const safe = end === -1 ? held.length - delimiter.length : end;
      if (safe > 0) yield held.subarray(0, safe);
      held = held.subarray(Math.max(safe, 0));
      if (end !== -1) {
        held = held.subarray(delimiter.length);
        return;
      }
      await more();
    }
  }

  /** Up to a mark, in memory: for what is short. */
  async function until(mark: string): Promise<string> {
    for (;;) {
      const end = held.indexOf(mark);
      if (end !== -1) {
        const text = held.toString('utf8', 0, end);
        held = held.subarray(end + mark.length);
        return text;
      }
      if (held.length > MOST_HEADER_BYTES) throw new Error('the form is malformed');
      await more();
    }
  }

  try {
    for await (const _preamble of untilDelimiter());
    for (;;) {
      while (held.length < 2) await more();
      if (held.subarray(0, 2).toString() === '--') return;
      const headers = await until('\r\n\r\n');
      const bytes = untilDelimiter();
      yield { name: parameterOf(headers, 'name') ?? '', fileName: parameterOf(headers, 'filename'), bytes };
      for await (const _rest of bytes);
    }
  } finally {
    await chunks.return();
  }
}

function parameterOf(headers: string, name: string): string | undefined {
  const line = /^content-disposition:(.*)$/im.exec(headers)?.[1] ?? '';
  // Browsers write quotes in names as %22.
  return new RegExp(`;\\s*${name}="([^"]*)"`, 'i').exec(line)?.[1];
}
