import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { keyRing } from '@mca/core';
import { guardedNetwork } from '@mca/core/adapters/guarded-network';
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
  /** The demo service runs beside the app. It is off where people come from other machines: they could not reach it. */
  readonly demo: boolean;
  /** Own networks and hosts that servers of users may stand in: `NAVIDROME_NETWORKS`. Else only public addresses. */
  readonly ownNetworks: readonly string[];
  /** Everybody is synced when it is their turn, without a click. */
  readonly scheduler: boolean;
  /** Apps of yours at real services. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @throws Error that says which variable is wrong */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const database = env.DATABASE || fileURLToPath(new URL('./mca-express.db', import.meta.url));
  const baseUrl = originOf(env);
  const isPublic = baseUrl !== undefined && !isLoopback(baseUrl);
  if (isPublic && env.DEMO === '1') {
    throw new Error(
      'DEMO=1 does not go with a public BASE_URL: the demo service listens on 127.0.0.1, where nobody else gets to. Leave DEMO out, or leave BASE_URL out to try things on this machine.',
    );
  }
  return {
    port: portOf(env),
    baseUrl,
    database,
    key: keyOf(env.MCA_KEY || keyBeside(database)),
    uploadBytes: number(env, 'UPLOAD_LIMIT_MB', 512) * 1_048_576,
    timeZone: timeZoneOf(env),
    demo: env.DEMO !== '0' && !isPublic,
    ownNetworks: ownNetworks(env),
    scheduler: env.SCHEDULER === '1',
    env,
  };
}

/** Whether an origin is this machine's own. */
export function isLoopback(origin: string): boolean {
  const { hostname } = new URL(origin);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

function originOf({ BASE_URL }: Readonly<Record<string, string | undefined>>): string | undefined {
  if (!BASE_URL) return undefined;
  const url = URL.parse(BASE_URL);
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
  // Redirect addresses are made of it, and services send codes there.
  if (!isOrigin || (url.protocol === 'http:' && !isLoopback(url.origin))) {
    throw new Error('BASE_URL has to be an origin with https, such as https://history.example.org, without a path.');
  }
  return url.origin;
}

function ownNetworks({ NAVIDROME, NAVIDROME_NETWORKS }: Readonly<Record<string, string | undefined>>): string[] {
  const networks = (NAVIDROME_NETWORKS ?? '').split(/[\s,]+/).filter(Boolean);
  if (networks.length > 0 && NAVIDROME !== '1') throw new Error('NAVIDROME_NETWORKS does nothing without NAVIDROME=1.');
  try {
    guardedNetwork({ allow: networks });
  } catch {
    throw new Error('NAVIDROME_NETWORKS has to name networks and hosts, such as 192.168.1.0/24 or music.home.arpa.');
  }
  return networks;
}

function number(env: Readonly<Record<string, string | undefined>>, name: string, otherwise: number): number {
  const value = Number(env[name] || otherwise);
  if (!Number.isInteger(value) || value < 0) throw new Error(`${name} has to be a whole number.`);
  return value;
}

function portOf(env: Readonly<Record<string, string | undefined>>): number {
  const port = number(env, 'PORT', 3000);
  if (port > 65_535) throw new Error('PORT has to be 65535 at most.');
  return port;
}

function keyOf(key: string): string {
  try {
    keyRing({ primary: 'k1', keys: { k1: key } });
  } catch {
    throw new Error('MCA_KEY has to be 32 random bytes as base64: `openssl rand -base64 32` makes them.');
  }
  return key;
}

function timeZoneOf({ TIME_ZONE }: Readonly<Record<string, string | undefined>>): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: TIME_ZONE || undefined }).resolvedOptions().timeZone;
  } catch {
    throw new Error('TIME_ZONE has to be the name of a time zone, such as Europe/Lisbon.');
  }
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
