import { readdirSync } from 'node:fs';
import { defineConfig } from 'tsup';

const kits = ['provider-kit', 'adapter-kit', 'testing'];

/** Every folder of `providers` and `adapters` is an entry of its own: adding one changes no file outside it. */
const folders = (root: string): [string, string][] =>
  readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => [`${root}/${entry.name}`, `${root}/${entry.name}/index.ts`]);

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    ...Object.fromEntries(kits.map((kit) => [kit, `src/${kit}/index.ts`])),
    ...Object.fromEntries([...folders('providers'), ...folders('adapters')]),
  },
  format: ['esm'],
  // Declarations come from tsc, which is ten times faster at it.
  dts: false,
  removeNodeProtocol: false,
  splitting: true,
  treeshake: true,
  clean: true,
  target: 'es2023',
  platform: 'neutral',
  external: [/^node:/],
  esbuildOptions(options) {
    options.conditions = ['@mca/source', 'import', 'module', 'default'];
    options.mainFields = ['module', 'main'];
  },
});
