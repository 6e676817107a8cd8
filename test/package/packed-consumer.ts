import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A host's project that has the packed tarball installed, and nothing of our sources. */
export interface Consumer {
  readonly folder: string;
  readonly packageFolder: string;
  /** Paths inside the tarball. */
  readonly files: readonly string[];
  /** Type-checks `host.ts`; throws with the compiler's output. */
  compile(version: string, module: string, resolution: string): void;
  /** Runs a script of the project and returns its output. */
  run(script: string): string;
  remove(): void;
}

/** Packs the built package and puts it where npm would. Dependencies are linked from the root install: nothing is fetched. */
export function packedConsumer(): Consumer {
  const folder = mkdtempSync(join(tmpdir(), 'mca-consumer-'));
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: root,
      encoding: 'utf8',
    }),
  ) as { filename: string; files: { path: string }[] }[];
  if (!packed) throw new Error('npm pack made nothing');
  const packageFolder = join(folder, 'node_modules/@mca/core');
  mkdirSync(packageFolder, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, packed.filename), '-C', packageFolder, '--strip-components=1']);
  const names = [
    'zod',
    'csv-parse',
    'yauzl',
    'pend',
    'ky',
    'p-retry',
    'is-network-error',
    'bottleneck',
    'oauth4webapi',
  ];
  for (const name of names) link(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  link(join(root, 'test/types/node_modules/@types/node'), join(folder, 'node_modules/@types/node'));
  link(join(root, 'test/types/node_modules/undici-types'), join(folder, 'node_modules/undici-types'));
  cpSync(join(root, 'test/types/consumer'), folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  return {
    folder,
    packageFolder,
    files: packed.files.map(({ path }) => path),
    compile(version, module, moduleResolution) {
      const compilerOptions = {
        ...{ target: 'es2023', lib: ['es2023', 'dom', 'esnext.disposable'], module, moduleResolution, types: ['node'] },
        ...{
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          noEmit: true,
          skipLibCheck: false,
        },
      };
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['host.ts'] }));
      const compiler = join(root, `test/types/node_modules/typescript-${version}/bin/tsc`);
      run(process.execPath, [compiler, '-p', folder], folder);
    },
    run: (script) => run(process.execPath, [join(folder, script)], folder),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function link(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  symlinkSync(from, to);
}

function run(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`);
  }
}
