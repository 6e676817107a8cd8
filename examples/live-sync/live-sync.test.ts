import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createRegistry, listConnections } from '@mca/core';
import { sqlite } from '@mca/core/adapters/sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { killAtPage, startHost } from './run-host.ts';
import { type Services, startServices } from './services.ts';
import { storedIds } from './stored-ids.ts';

const DAY_MS = 86_400_000;
const PAGE = 200;

let folder: string;
let services: Services;
let settings: { readonly database: string; readonly key: string };
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mca-live-sync-'));
  settings = { database: join(folder, 'live-sync.db'), key: randomBytes(32).toString('base64') };
  services = await startServices();
});
afterEach(async () => {
  await services.close();
  rmSync(folder, { recursive: true, force: true });
});

const run = (options: { readonly connect?: boolean } = {}) => startHost(services, { ...settings, ...options }).ended;
const idsOfService = (): string[] => services.plays().map(({ id }) => id);
const sorted = (ids: readonly string[]): string[] => ids.toSorted();

/** Status of the only connection, and why. */
async function connection() {
  const database = new DatabaseSync(settings.database);
  try {
    const [only] = await listConnections(createRegistry({ providers: [], ...sqlite({ database }) }), { userId: 'ana' });
    return only;
  } finally {
    database.close();
  }
}

test.each(process.env.MCA_TEST_FULL === '1' ? [2, 30, 54] : [30])(
  'killed at page %i of the first sync, the host goes on where it stopped: every play once',
  async (page) => {
    const first = startHost(services, { ...settings, connect: true });
    killAtPage(services, first, page);
    expect((await first.ended).code).toBeNull();
    const before = await storedIds(settings.database);
    expect(before.length).toBeLessThan(idsOfService().length);
    if (page > 2) expect(before.length).toBeGreaterThan(page * PAGE * 0.8);

    services.later(2 * 60_000);
    const callsBefore = services.service.ledger.length;
    expect((await run()).output).toContain('complete');
    expect(sorted(await storedIds(settings.database))).toEqual(sorted(idsOfService()));

    // What was stored is not asked for again, but for the page under way and the two weeks in which plays may arrive late.
    const sentAfter = services.service.ledger.slice(callsBefore).flatMap(({ sent }) => sent);
    const late = services.plays().filter(({ playedAt }) => playedAt > Date.now() - 15 * DAY_MS).length;
    const again = sentAfter.filter((id) => before.includes(id)).length;
    expect(again).toBeLessThanOrEqual(PAGE + late);
  },
  60_000,
);

test('at once after a kill the lease of the dead process still holds: nothing happens twice', async () => {
  const first = startHost(services, { ...settings, connect: true });
  killAtPage(services, first, 10);
  await first.ended;
  const before = await storedIds(settings.database);
  expect((await run()).output).toContain('already_running');
  expect(await storedIds(settings.database)).toEqual(before);
});

test('a consent that ended is told, and after connecting again the sync goes on', async () => {
  await run({ connect: true });
  expect(await connection()).toMatchObject({ status: 'active' });

  services.later(182 * DAY_MS);
  const { output } = await run();
  expect(output).toContain('auth_expired');
  expect(output).toContain('host.ts connect');
  expect(await connection()).toMatchObject({ status: 'needs_reauth', statusReason: 'expired' });
  const callsBefore = services.oauth.calls.length + services.service.ledger.length;
  expect((await run()).output).toContain('needs_reauth');
  expect(services.oauth.calls.length + services.service.ledger.length).toBe(callsBefore);

  const again = await run({ connect: true });
  expect(again.output).toContain('complete');
  expect(await connection()).toMatchObject({ status: 'active' });
  expect(sorted(await storedIds(settings.database))).toEqual(sorted(idsOfService()));
}, 60_000);

test('a consent that the user took back at the service is told, too', async () => {
  await run({ connect: true });
  for (const grant of services.oauth.grants) Object.assign(grant, { revoked: true });
  services.later(DAY_MS);
  expect((await run()).output).toContain('auth_expired');
  expect(await connection()).toMatchObject({ status: 'needs_reauth' });
});

test('without a connection the host says what to do; nothing is thrown', async () => {
  const { code, output } = await run();
  expect(code).toBe(0);
  expect(output).toMatch(/not_connected[\s\S]*host\.ts connect/);
});

test('no secret of the flow is on the screen or in the database', async () => {
  const { output } = await run({ connect: true });
  const [grant] = services.oauth.grants;
  const kept = readFileSync(settings.database, 'latin1') + output;
  for (const secret of [grant?.accessToken, grant?.refreshToken, settings.key]) {
    expect(secret).toBeTruthy();
    expect(kept).not.toContain(secret);
  }
});

test('the guide shows the host as it is, and it stays short', () => {
  const host = readFileSync(new URL('host.ts', import.meta.url), 'utf8');
  const guide = readFileSync(new URL('../../docs/guides/syncing.md', import.meta.url), 'utf8');
  const [, shown = ''] = /<!-- examples\/live-sync\/host.ts -->\n```typescript\n([\s\S]*?)```/.exec(guide) ?? [];
  expect(shown).toBe(host);
  expect(host.trim().split('\n').length).toBeLessThanOrEqual(32);
});
