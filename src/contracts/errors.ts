import type { ErrorCode, FilePosition } from './error-codes.ts';

/** What an {@link McaError} is made of. */
export interface McaErrorOptions {
  readonly code: ErrorCode;
  /** One sentence: what went wrong and where. Never a secret, never a user's viewing history. */
  readonly message: string;
  /** Finer cause in snake_case, such as `ambiguous_date` or `response_too_large`. */
  readonly reason?: string | undefined;
  /** What the user or host can do about it. */
  readonly hint?: string | undefined;
  readonly provider?: string | undefined;
  /** @default true for `rate_limit` and `upstream`, else false */
  readonly retryable?: boolean | undefined;
  /** Earliest sensible retry, milliseconds from now. */
  readonly retryAfterMs?: number | undefined;
  readonly position?: FilePosition | undefined;
  readonly cause?: unknown;
}

const brand = Symbol.for('@mca/core/McaError');
const inspectCustom = Symbol.for('nodejs.util.inspect.custom');

/**
 * The only error class of the SDK.
 *
 * It prints and serialises without its `cause`, because causes from HTTP clients carry headers and bodies.
 *
 * @example
 * ```ts
 * try {
 *   await importFile(registry, { userId, provider: 'netflix', file: upload });
 * } catch (error) {
 *   if (McaError.isInstance(error) && error.reason === 'ambiguous_date') askForDateOrder(error.hint);
 *   else throw error;
 * }
 * ```
 */
export class McaError extends Error {
  override readonly name = 'McaError';
  readonly code: ErrorCode;
  readonly reason: string | undefined;
  readonly hint: string | undefined;
  readonly provider: string | undefined;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly position: FilePosition | undefined;

  constructor(options: McaErrorOptions) {
    super(options.message);
    this.code = options.code;
    this.reason = options.reason;
    this.hint = options.hint;
    this.provider = options.provider;
    this.retryable = options.retryable ?? (options.code === 'rate_limit' || options.code === 'upstream');
    this.retryAfterMs = options.retryAfterMs;
    this.position = options.position;
    // Not enumerable: loggers that walk own properties must not meet it.
    Object.defineProperty(this, 'cause', { value: options.cause, enumerable: false, configurable: true });
    Object.defineProperty(this, brand, { value: true, enumerable: false });
    Object.defineProperty(this, inspectCustom, { value: inspect, enumerable: false });
  }

  /** True for errors of this class, also when they come from another copy of the package. */
  static isInstance(value: unknown): value is McaError {
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true;
  }

  /** Plain data for logs and wires: everything but stack and cause. */
  toJSON(): Readonly<Record<string, unknown>> {
    const { name, message, code, reason, hint, provider, retryable, retryAfterMs, position } = this;
    return { name, code, message, reason, hint, provider, retryable, retryAfterMs, position };
  }
}

/** What `console.log` and `util.inspect` show: the stack and the public fields, never the cause. */
function inspect(this: McaError): string {
  const { code, reason, hint, provider } = this;
  const fields = Object.entries({ code, reason, hint, provider })
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `  ${key}: ${value}`);
  return [this.stack ?? `${this.name}: ${this.message}`, ...fields].join('\n');
}

export { ERROR_CODES, type ErrorCode, type FilePosition } from './error-codes.ts';
