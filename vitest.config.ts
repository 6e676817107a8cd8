import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// The custom condition makes `@mca/core/…` resolve to the sources, so tests never run a stale build.
const conditions = ['@mca/source', 'module', 'default', 'node'];

const reports = process.env.MCA_TEST_REPORTS;

/**
 * Modes: `test` (default) runs everything with reduced counts, `full` with the counts that docs/reliability.md reports,
 * `package` tries the packed tarball as a stranger would, `soak` has the counts of its
 * two test files raised to what takes most of an hour.
 */
export default defineConfig(({ mode }) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include:
      mode === 'package' ? ['test/package/**/*.pack.ts'] : ['{src,providers,adapters,examples,test}/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    pool: 'forks',
    globalSetup: ['test/support/postgres-broker.ts'],
    maxWorkers: 2,
    // Hang guards, not speed limits.
    testTimeout: { test: 60_000, soak: 3_600_000 }[mode] ?? 1_200_000,
    hookTimeout: 60_000,
    // CI adds up the reports of all runs.
    reporters: reports ? ['default', ['json', { outputFile: join(reports, `${mode}.json`) }]] : ['default'],
    env: { ...(mode === 'full' && { MCA_TEST_FULL: '1' }), ...(mode === 'soak' && { MCA_TEST_SOAK: '1' }) },
  },
}));
