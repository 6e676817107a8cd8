import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ERROR_CODES, type ErrorCode, McaError } from '@mca/core';
import { expect, test } from 'vitest';
import { serverWords } from './pages/server-page.ts';
import { servicesPage } from './pages/services-page.ts';
import { KNOWN_REASONS, keyOf, wordsFor, wordsOf } from './pages/words.ts';
import { failureView, refusalOf } from './routes/failure.ts';
import { importOutcome } from './routes/import-work.ts';
import { syncOutcome } from './routes/sync-outcome.ts';

const TASKS = ['connect', 'sync', 'import'] as const;
const counts = { read: 12, inserted: 3, updated: 0, unchanged: 9, skipped: 0, rejected: 0 };
/** An error as the SDK throws it: what is for developers has a mark. */
const errorOf = (code: ErrorCode, reason?: string, more: object = {}): McaError =>
  new McaError({ code, reason, message: 'MESSAGE of grant_type', hint: 'HINT: call updateConnection()', ...more });

/** Whole sentences in plain words, of which the last says what to do. */
function checkWords(text: string): void {
  expect(text).not.toMatch(/MESSAGE|HINT|undefined|_|\(\)/);
  expect(text).toMatch(/^(\d+ new\. )?[A-Z].*\.$/);
  expect(text).toMatch(
    /connect|try|tell |ask |look|wait|upload|import|choose|start|sync|tick|go back|use |get |do that|download|export|bring|renew|nothing (else )?is|unpack/i,
  );
}

const said = (because: string): string =>
  servicesPage({
    session: { userId: '', sessionBinding: '', csrf: '' },
    ...{ providers: [], connections: [], isBusy: false, demoUrl: undefined, now: new Date() },
    said: { failed: 'songbook', because },
  });

test.each(ERROR_CODES.map((code) => [code]))(
  '%s has words for people, whatever failed; the rest is in the log',
  (code) => {
    for (const reason of [undefined, 'a_reason_nobody_knows']) {
      const error = errorOf(code, reason);
      for (const task of TASKS) {
        const lines: string[] = [];
        const { text, outcome } = failureView(error, (line) => void lines.push(line), task);
        expect(outcome).toBe('bad');
        checkWords(text);
        // Files are called what their owners like: those errors are logged by code and reason.
        expect(lines.join('\n')).toContain(code === 'file_parse_error' ? code : 'MESSAGE');
        expect(lines.join('\n')).toContain('HINT');
      }
      const failed = { status: 'failed', provider: 'songbook', capability: 'history', counts, error } as const;
      for (const status of ['failed', 'partial', 'cancelled'] as const) {
        const lines: string[] = [];
        const log = (line: string) => void lines.push(line);
        const synced = syncOutcome([{ ...failed, status }], log);
        checkWords(synced.text);
        expect(synced.outcome).toBe(status === 'failed' ? 'bad' : 'partly');
        const imported = importOutcome([{ ...failed, status }], log);
        checkWords(imported.text.replace(/^.*?new, 9 known before\. /, ''));
        // That somebody pressed "Stop" is no failure.
        expect(lines).toHaveLength(code === 'cancelled' ? 0 : 2);
      }
      const page = said(keyOf(error));
      expect(page).toContain(wordsOf(code, 'connect')?.replaceAll('"', '&quot;'));
      const refusal = refusalOf(error);
      if (refusal) checkWords(refusal.message);
    }
  },
);

test.each(KNOWN_REASONS.map((reason) => [reason]))('the reason %s has words of its own', (reason) => {
  checkWords(wordsOf(reason) ?? '');
  expect(ERROR_CODES).not.toContain(reason);
  const error = errorOf('upstream', reason);
  expect(wordsFor(error, 'sync')).toBe(wordsOf(reason));
  expect(said(reason)).toContain(wordsOf(reason)?.replaceAll('"', '&quot;'));
  checkWords(serverWords(reason) ?? wordsOf(reason) ?? '');
});

test('there is no reason in the table that the SDK does not know', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const sources = ['src', 'providers', 'adapters'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter(({ name, parentPath }) => /(?<!\.test)\.ts$/.test(name) && !parentPath.includes('node_modules'))
      .map(({ name, parentPath }) => readFileSync(join(parentPath, name), 'utf8')),
  );
  const all = sources.join('\n');
  expect(KNOWN_REASONS.filter((reason) => !all.includes(`'${reason}'`))).toEqual([]);
});

test('each reason that a sync is skipped for is told', () => {
  const reasons = ['not_connected', 'needs_reauth', 'disabled', 'already_running', 'rate_limited', 'not_yet'] as const;
  for (const reason of reasons) {
    const report = {
      status: 'skipped',
      provider: 'songbook',
      capability: 'history',
      counts: { ...counts, inserted: 0 },
    } as const;
    const { text } = syncOutcome([{ ...report, reason }], () => {});
    checkWords(text);
    expect(text).toBe(wordsOf(reason));
  }
});

test('what stopped a sync half-way is told, and that the rest comes', () => {
  const cause = errorOf('rate_limit', undefined);
  const report = { status: 'partial', provider: 'songbook', capability: 'history', counts } as const;
  const { text } = syncOutcome([{ ...report, error: errorOf('partial_sync', 'rate_limit', { cause }) }], () => {});
  expect(text).toBe(
    '3 new. The service asked us to wait. Try again later. What came is kept, and the next sync goes on from there.',
  );
  const gap = syncOutcome([{ ...report, error: errorOf('partial_sync', 'coverage_gap') }], () => {});
  expect(gap.text).toContain('Import its export to fill the gap');
});

test('records that were not understood: what to do is another thing for an import, and where it was all of them', () => {
  const error = errorOf('partial_sync', 'rejected_records');
  const of = (read: number) => ({ ...counts, inserted: 0, unchanged: 0, read, rejected: 12 });
  const all = { status: 'partial', provider: 'letterboxd', capability: 'history', counts: of(12), error } as const;
  const some = { ...all, counts: { ...of(20), inserted: 8 } };
  const [allIn, someIn] = [importOutcome([all], () => {}).text, importOutcome([some], () => {}).text];
  expect(allIn).toBe(
    '12 records read: 0 new, 12 not understood. None of it was understood. Did a spreadsheet open and save the file? Ask the service for a new one, and upload it as it came.',
  );
  expect(someIn).toContain('Some records were not understood, and are not in. Did a spreadsheet');
  for (const text of [allIn, someIn]) expect(text).not.toContain('nothing is for you to do');
  expect(syncOutcome([some], () => {}).text).toContain('kept apart, and nothing is for you to do');
  const nothing = syncOutcome([all], () => {});
  expect(nothing).toMatchObject({
    outcome: 'partly',
    text: expect.stringMatching(/^Nothing that .* tell whoever runs/),
  });
});

test('what was left out is not called ads: it may be films that a diary tells', () => {
  const report = {
    status: 'complete',
    provider: 'letterboxd',
    counts: { ...counts, unchanged: 0, skipped: 9 },
  } as const;
  expect(importOutcome([report], () => {}).text).toBe('12 records read: 3 new, 9 left out on purpose.');
});

test('a file says where it is broken', () => {
  const error = errorOf('file_parse_error', 'csv_syntax', { position: { line: 7 } });
  expect(wordsFor(error, 'import')).toMatch(/cannot be read.* It is about line 7\.$/);
});

test('errors that are not of the SDK tell nothing', () => {
  const lines: string[] = [];
  const { text } = failureView(new Error('SQLITE_CORRUPT in /var/lib'), (line) => void lines.push(line));
  expect(text).toBe('Something went wrong. It is our fault: try again.');
  expect(lines).toHaveLength(1);
});
