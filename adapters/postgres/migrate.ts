import { createHash } from 'node:crypto';
import { schemaTooNew } from '@mca/core/adapter-kit';
import { MIGRATIONS, type Migration } from './migrations/index.ts';
import { type Queries, quoted, type Session } from './session.ts';
import { raw, sql, text, whole } from './sql.ts';

/**
 * Brings the schema to the newest version. Forward-only, and safe from many processes at once: whoever gets the lock does
 * the work, the others find it done.
 *
 * @throws McaError `storage` `schema_too_new` when a newer release has been here
 */
export async function migrateSchema(session: Session, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  const newest = migrations.at(-1)?.version ?? 0;
  const versions = raw(`${quoted(session.schema)}.schema_versions`);
  const looking: Queries = {
    rows: (each) => session.bare(each),
    row: async (each) => (await session.bare<never>(each))[0],
  };
  const readVersion = async (queries: Queries): Promise<number> => {
    const known = await queries.row(
      sql`SELECT 1 AS number FROM pg_catalog.pg_tables
          WHERE schemaname = ${text(session.schema)} AND tablename = 'schema_versions'`,
    );
    if (!known) return 0;
    const row = await queries.row<{ readonly version: number }>(
      sql`SELECT coalesce(max(version), 0)::float8 AS version FROM ${versions}`,
    );
    const version = row?.version ?? 0;
    if (version > newest) throw schemaTooNew(version, newest);
    return version;
  };
  // Most starts find everything in place. They need no lock, nor the right to create anything.
  if ((await readVersion(looking)) === newest) return;
  await session.transaction(async (queries) => {
    await queries.row(sql`SELECT pg_advisory_xact_lock(${whole(numberOf(session.schema, 48))})`);
    const namespace = await queries.row(
      sql`SELECT 1 AS number FROM pg_catalog.pg_namespace WHERE nspname = ${text(session.schema)}`,
    );
    // Asked first: IF NOT EXISTS needs the right to create schemas also when there is nothing to create.
    if (!namespace) await queries.rows(raw(`CREATE SCHEMA ${quoted(session.schema)}`));
    await queries.rows(sql`CREATE TABLE IF NOT EXISTS ${versions} (version bigint PRIMARY KEY, name text NOT NULL)`);
    const current = await readVersion(queries);
    const place = { schema: quoted(session.schema), feedLock: numberOf(session.schema, 31) };
    for (const migration of migrations) {
      if (migration.version <= current) continue;
      for (const statement of migration.statements(place)) await queries.rows(raw(statement));
      await queries.rows(
        sql`INSERT INTO ${versions} (version, name) VALUES (${whole(migration.version)}, ${text(migration.name)})`,
      );
    }
  });
}

/** A number of that many bits that stands for a schema among the locks of a database. */
function numberOf(schema: string, bits: number): number {
  const hash = createHash('sha256').update(`@mca/core ${schema}`).digest();
  return Number(hash.readBigUInt64BE() >> BigInt(64 - bits));
}
