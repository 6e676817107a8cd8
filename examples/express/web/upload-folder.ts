import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where uploads of this process lie. */
export interface UploadFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** Makes a folder of this process, and removes what processes left that are no more. */
export async function openUploadFolder(): Promise<UploadFolder> {
  // By machine, as processes of others cannot be asked for.
  const prefix = `mca-uploads-${hostname().replace(/[^\w.]/g, '_')}-`;
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(prefix));
  for (const name of names) {
    const path = join(tmpdir(), name);
    const pid = Number(name.slice(prefix.length).split('-')[0]);
    // Folders of other users stay: they are not ours to remove.
    if (await isLeft(path, pid)) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
  const path = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

async function isLeft(path: string, pid: number): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  if (pid !== process.pid) return !isAlive(pid);
  // In containers the next process has the same number.
  const made = await stat(path).catch(() => undefined);
  return made !== undefined && made.mtimeMs < Date.now() - process.uptime() * 1_000;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
