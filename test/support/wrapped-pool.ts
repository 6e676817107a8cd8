import type { PostgresPool, PostgresResult } from '@mca/core/adapters/postgres';

/** Runs one statement. */
type Run = (text: string, values?: unknown[]) => Promise<PostgresResult>;

/** A pool whose statements go through our hands: `around` runs each, and may look at it, change it, or wait before it. */
export function wrappedPool(
  pool: PostgresPool,
  around: (run: Run, text: string, values?: unknown[]) => Promise<PostgresResult>,
): PostgresPool {
  return {
    query: (text, values) => around((...statement) => pool.query(...statement), text, values),
    async connect() {
      const client = await pool.connect();
      return {
        query: (text, values) => around((...statement) => client.query(...statement), text, values),
        release: (error) => client.release(error),
        on: (event, listener) => client.on?.(event, listener),
        removeListener: (event, listener) => client.removeListener?.(event, listener),
      };
    },
  };
}
