// Prints every module that importing the root loads.
import { registerHooks } from 'node:module';

const loaded = [];
registerHooks({
  load(url, context, next) {
    loaded.push(url);
    return next(url, context);
  },
});
await import('@mca/core');
console.log(loaded.join('\n'));
