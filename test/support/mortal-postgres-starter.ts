// Starts a Postgres for {@link mortalPostgres} and says where it is. In a process of its own, which can be killed along with
// the server: who started it waits for its end at exit otherwise.
import { startPostgres } from '../../examples/worker/database.ts';

const { url, stop } = await startPostgres();
// Nobody is left to kill it.
process.once('disconnect', async () => {
  await stop();
  process.exit();
});
process.send?.(url);
