import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isPostgres } from './storage.ts';

/** What the environment says. */
export interface Settings {
  readonly port: number;
  /** Public origin, where it is not `http://127.0.0.1:<port>`. */
  readonly baseUrl?: string | undefined;
  /** SQLite file, `:memory:`, or the address of a Postgres: `postgres://…`. */
  readonly database: string;
  /** Base64 of 32 random bytes. */
  readonly key: string;
  readonly uploadBytes: number;
  readonly timeZone: string;
  /** The demo service runs beside the app. */
  readonly demo: boolean;
  /** Everybody is synced when it is their turn, without a click. */
  readonly scheduler: boolean;
  /** Apps of yours at real services. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @throws Error that says which variable is wrong */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const database = env.DATABASE || fileURLToPath(new URL('./mca-express.db', import.meta.url));
  return {
    port: number(env, 'PORT', 3000),
    baseUrl: env.BASE_URL?.replace(/\/$/, ''),
    database,
    key: env.MCA_KEY || keyBeside(database),
    uploadBytes: number(env, 'UPLOAD_LIMIT_MB', 512) * 1_048_576,
    timeZone: env.TIME_ZONE || Intl.DateTimeFormat().resolvedOptions().timeZone,
    demo: env.DEMO !== '0',
    scheduler: env.SCHEDULER === '1',
    env,
  };
}

function number(env: Readonly<Record<string, string | undefined>>, name: string, otherwise: number): number {
  const value = Number(env[name] || otherwise);
  if (!Number.isInteger(value) || value < 0) throw new Error(`${name} has to be a whole number.`);
  return value;
}

/** For trying things out. In production the key comes from a place of its own: whoever has file and key has everything. */
function keyBeside(database: string): string {
  if (isPostgres(database)) throw new Error('MCA_KEY is needed with Postgres: `openssl rand -base64 32` makes one.');
  if (database === ':memory:') return randomBytes(32).toString('base64');
  const path = `${database}.key`;
  if (!existsSync(path)) writeFileSync(path, randomBytes(32).toString('base64'), { mode: 0o600, flag: 'wx' });
  chmodSync(path, 0o600);
  return readFileSync(path, 'utf8').trim();
}
