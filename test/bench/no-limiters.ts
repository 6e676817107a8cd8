import type { RateLimiterFactory } from '@mca/core';

/** Limiters that must not be made: where no limit is declared, none stands in the way. */
export function countedLimiters(): { readonly limiter: RateLimiterFactory; assertNone(): void } {
  let made = 0;
  return {
    limiter: {
      create({ key }) {
        made += 1;
        throw new Error(`A limiter was made for ${key}.`);
      },
    },
    assertNone() {
      if (made > 0) throw new Error(`${made} limiters were made where no limit is declared.`);
    },
  };
}
