// A thousand connections, three workers, a service with a strict limit, and a worker that is killed in the middle of a page.
//   npm run example:worker
import { randomBytes } from 'node:crypto';
import { startPostgres } from './database.ts';
import { runStory } from './run-story.ts';

const { DATABASE_URL, REDIS_URL } = process.env;
const database = DATABASE_URL ? undefined : await startPostgres();
try {
  const { expected, stored, different, most, limit, refused } = await runStory({
    databaseUrl: DATABASE_URL ?? database?.url ?? '',
    redisUrl: REDIS_URL,
    key: randomBytes(32).toString('base64'),
    connections: 1_000,
    playsEach: 120,
    requestsPerSecond: 120,
    killAtRequest: 300,
    say: console.log,
  });
  console.log(`\nJukebox tells of ${expected} plays. Stored: ${stored}, of which ${different} different.`);
  console.log(`Requests in any one second: ${most} at most, ${limit} allowed; ${refused} refused.`);
  if (stored !== expected || different !== expected || most > limit) process.exitCode = 1;
} finally {
  await database?.stop();
}
