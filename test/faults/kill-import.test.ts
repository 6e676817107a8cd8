import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { killLoop, seededRandom } from '@mca/core/testing';
import { expect, test } from 'vitest';
import { recordFigure } from '../support/reliability.ts';
import { plays } from '../support/spotify-rows.ts';

const full = process.env.MCA_TEST_FULL === '1';
const ROWS = full ? 100_000 : 12_000;
const KILLS = full ? 200 : 8;
const WORKER = fileURLToPath(new URL('import-worker.ts', import.meta.url));

/** Everything a reader sees, in one line. */
function contentOf(path: string): { rows: number; counted: number; digest: string; integrity: unknown } {
  const database = new DatabaseSync(path);
  try {
    const digest = createHash('sha256');
    let rows = 0;
    for (const row of database
      .prepare(
        'SELECT external_id, title, consumed_at, time_spent_ms, raw_metadata FROM mca_items ORDER BY external_id',
      )
      .iterate()) {
      digest.update(JSON.stringify(row));
      rows += 1;
    }
    const { counted } = database.prepare('SELECT coalesce(sum(inserted), 0) AS counted FROM mca_imports').get() as {
      counted: number;
    };
    return {
      rows,
      counted,
      digest: digest.digest('hex'),
      integrity: Object.values(database.prepare('PRAGMA integrity_check').get() ?? {})[0],
    };
  } finally {
    database.close();
  }
}

test(
  'R-064 an import killed again and again ends with the same set as one clean run',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mca-kill-import-'));
    try {
      const file = join(folder, 'Streaming_History_Audio_2020.json');
      writeFileSync(file, JSON.stringify(plays(0, ROWS)));
      const args = (database: string) => [
        '--conditions=@mca/source',
        '--disable-warning=ExperimentalWarning',
        WORKER,
        database,
        file,
      ];
      const clean = join(folder, 'clean.db');
      const runClean = async (
        database: string,
      ): Promise<{ read: number; inserted: number; unchanged: number; durationMs: number }> => {
        let said = '';
        await killLoop({
          command: process.execPath,
          args: args(database),
          rounds: 1,
          killAfterMs: () => 600_000,
          onRound({ exitCode, stdout, stderr }) {
            if (exitCode !== 0) throw new Error(stderr);
            said = stdout.trim().split('\n').at(-1) ?? '';
          },
        });
        return JSON.parse(said);
      };
      const { durationMs } = await runClean(clean);
      const random = seededRandom(64);
      const killed = join(folder, 'killed.db');
      let kills = 0;
      let amidst = 0;
      // A database that is whole cannot be half-way again: each round of kills begins with an empty one.
      while (kills < KILLS) {
        for (const suffix of ['', '-wal', '-shm']) rmSync(killed + suffix, { force: true });
        await killLoop({
          command: process.execPath,
          args: args(killed),
          rounds: 4,
          killAfterMs: () => random() * durationMs,
          onRound(round) {
            if (!round.killed) return 'stop';
            kills += 1;
            const { rows, counted, integrity } = contentOf(killed);
            if (rows > 0 && rows < ROWS) amidst += 1;
            expect(integrity).toBe('ok');
            // Whole pages only: rows and the totals of the imports were committed together.
            expect(counted).toBe(rows);
            return kills < KILLS ? 'go on' : 'stop';
          },
        });
        const last = await runClean(killed);
        expect(last.read).toBe(ROWS);
        expect(last.inserted + last.unchanged).toBe(ROWS);
        expect({ ...contentOf(killed), counted: ROWS }).toEqual(contentOf(clean));
      }
      expect(amidst).toBeGreaterThan(0);
      recordFigure(
        'R-064',
        `${kills} kills during imports of ${ROWS.toLocaleString('en-US')} rows, ${amidst} with the file partly stored; final set equal to one clean run every time`,
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  full ? 1_200_000 : 180_000,
);
