const inspectCustom = Symbol.for('nodejs.util.inspect.custom');
const SHOWN = '[secret]';

/**
 * A text that does not show itself: not printed, not inspected, not serialised, not cloned. Only `reveal` gives it.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    // Not enumerable, and made here rather than in the class body: a computed method name would need an annotation.
    Object.defineProperty(this, inspectCustom, { value: () => SHOWN, enumerable: false });
  }

  /** The text itself. Whoever calls this answers for where it goes. */
  reveal(): string {
    return this.#value;
  }

  /** Whether the text is this one. */
  is(text: string): boolean {
    return this.#value === text;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }
}
