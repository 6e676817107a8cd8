import { fileURLToPath } from 'node:url';

/**
 * Environment of worker processes: what one of them has compiled, the next ones only read. Starting then takes a third of
 * the processor time, which is most of what tests with hundreds of processes need.
 */
export const WORKER_ENV: Readonly<NodeJS.ProcessEnv> = {
  ...process.env,
  NODE_COMPILE_CACHE: fileURLToPath(new URL('../../node_modules/.cache/mca-workers', import.meta.url)),
};
