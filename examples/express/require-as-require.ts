// For tests only. Vitest runs Node with `--conditions=import`, and then the `require('is-promise')` of Express gets the
// ES module of that package, which is no function. Import this before Express.
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== 'is-promise') return next(specifier, context);
    const url = new URL('../../node_modules/is-promise/index.js', import.meta.url).href;
    return { url, format: 'commonjs', shortCircuit: true };
  },
});
