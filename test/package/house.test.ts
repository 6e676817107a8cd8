import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.includes('node_modules'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

const sources = [...filesBelow('src'), ...filesBelow('providers'), ...filesBelow('adapters')];
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Modules a file imports at run time or for types: paths from the root for our own, names for others. */
function importsOf(path: string): string[] {
  const code = read(path).replace(/\/\*[\s\S]*?\*\//g, '');
  const targets = [...code.matchAll(/^(?:import|export)\b[^;'"]*?from '([^']+)'|\bimport\('([^']+)'\)/gm)];
  return targets.map(([, fixed, dynamic]) => {
    const target = fixed ?? dynamic ?? '';
    return target.startsWith('.') ? relative(root, resolve(root, dirname(path), target)) : target;
  });
}

/** Rooms of the house, and the rooms each may import from. */
const WALLS: Readonly<Record<string, readonly string[]>> = {
  'src/contracts': ['src/contracts'],
  'src/runtime': ['src/contracts', 'src/runtime'],
  'src/registry': ['src/contracts', 'src/runtime', 'src/registry'],
  'src/auth': ['src/contracts', 'src/runtime', 'src/registry', 'src/auth'],
  'src/history': ['src/contracts', 'src/runtime', 'src/registry', 'src/auth', 'src/history'],
  'src/provider-kit': ['src/contracts', 'src/provider-kit'],
  'src/adapter-kit': ['src/contracts', 'src/adapter-kit'],
  'src/testing': ['src/contracts', 'src/runtime', 'src/testing'],
};

describe('the house', () => {
  test('rooms import only the rooms they may', () => {
    const faults: string[] = [];
    for (const path of sources.filter(
      (each) => each.startsWith('src/') && !each.endsWith('.test.ts') && each !== 'src/index.ts',
    )) {
      const room = path.split('/').slice(0, 2).join('/');
      const allowed = WALLS[room];
      if (!allowed) faults.push(`${path}: room ${room} is not in the plan`);
      for (const target of importsOf(path)) {
        const isOwn = target.startsWith('src/') || target.startsWith('providers/') || target.startsWith('adapters/');
        if (isOwn && !allowed?.some((each) => target.startsWith(`${each}/`))) faults.push(`${path} imports ${target}`);
        if (target.startsWith('@mca/core')) faults.push(`${path} imports the package by name`);
      }
    }
    expect(faults).toEqual([]);
  });

  test('providers and adapters import their kit, their own folder and dependencies, nothing else', () => {
    const faults: string[] = [];
    for (const path of sources.filter((each) => !each.startsWith('src/') && !each.endsWith('.test.ts'))) {
      const [kind = '', id = ''] = path.split('/');
      const kit = kind === 'providers' ? '@mca/core/provider-kit' : '@mca/core/adapter-kit';
      for (const target of importsOf(path)) {
        if (
          target.startsWith('@mca/core')
            ? target !== kit
            : target.includes('/') &&
              !target.startsWith(`${kind}/${id}/`) &&
              !target.startsWith('node:') &&
              !target.startsWith('csv-parse')
        ) {
          faults.push(`${path} imports ${target}`);
        }
      }
    }
    expect(faults).toEqual([]);
  });

  test('contracts, runtime, registry, auth and engines import no module of Node, and dependencies only when they are used', () => {
    // Loaded by `import()` where the first request or log-in needs them: the root entry stays light, and runs anywhere.
    const LATE = [
      'src/auth/authorization-url.ts imports oauth4webapi',
      'src/auth/token-endpoint.ts imports oauth4webapi',
      'src/runtime/http/bottleneck-limiter.ts imports bottleneck',
      'src/runtime/http/exchange.ts imports ky',
      'src/runtime/http/retrying.ts imports p-retry',
    ];
    const rooms = sources.filter(
      (path) => /^src\/(contracts|runtime|registry|auth|history)\//.test(path) && !path.endsWith('.test.ts'),
    );
    const faults = rooms
      .flatMap((path) =>
        importsOf(path)
          .filter((target) => !target.startsWith('src/'))
          .map((target) => `${path} imports ${target}`),
      )
      // Only types of Node's modules are named there; they are gone at run time, as the test of the packed root shows.
      .filter((fault) => !fault.startsWith('src/history/open-source.ts imports node:'));
    expect(faults.filter((fault) => !LATE.includes(fault))).toEqual([]);
    for (const path of new Set(LATE.map((each) => each.split(' ')[0] ?? ''))) {
      const fixed = [...read(path).matchAll(/^import (?!type )[^;'"]*?from '([a-z@][^']*)'/gm)].map(([, name]) => name);
      expect(fixed, `${path} loads at once`).toEqual([]);
    }
  });

  test('R-086 time, chance, waiting and the network come from the environment that was given', () => {
    const GLOBALS =
      /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\b|\bset(?:Timeout|Interval)\(|\bperformance\.now\b|\bgetRandomValues\b|\bglobalThis\.fetch\(|\bawait fetch\(['"`h]/;
    const faults = sources
      .filter((path) => !/\.test\.ts$|^src\/testing\/|__fixtures__|^src\/runtime\/env\.ts$/.test(path))
      .filter((path) => GLOBALS.test(read(path).replace(/\/\*[\s\S]*?\*\//g, '')));
    expect(faults).toEqual([]);
  });

  test('a file tells one story: contracts at most 120 lines, others at most 400', () => {
    const long = sources.filter((path) => {
      const lines = read(path).split('\n').length - 1;
      const most = /^src\/contracts\//.test(path) && !path.endsWith('.test.ts') ? 120 : 400;
      return lines > most;
    });
    expect(long).toEqual([]);
  });

  test('every provider and adapter has its README and its tests', () => {
    for (const kind of ['providers', 'adapters']) {
      for (const id of readdirSync(join(root, kind))) {
        const names = readdirSync(join(root, kind, id));
        expect(names, `${kind}/${id}`).toEqual(expect.arrayContaining(['README.md', 'index.ts']));
        expect(
          names.some((name) => name.endsWith('.test.ts')),
          `${kind}/${id} has tests`,
        ).toBe(true);
      }
    }
  });

  test('no default exports, and nothing that two copies of the package would share', () => {
    for (const path of sources) expect(read(path), path).not.toMatch(/^export default/m);
    for (const path of sources.filter((each) => !each.endsWith('.test.ts')))
      expect(read(path), path).not.toMatch(
        /^(?:export )?(?:let |var |const \w+(?:: [^=\n]+)? = new (?:Map|Set|WeakMap|WeakSet)(?:<[^>]*>)?\(\))/m,
      );
  });

  test('nothing names a machine or a registry', () => {
    const lock = read('package-lock.json');
    expect(lock).not.toMatch(/"resolved":/);
    // npm ci refuses a lock in which an optional platform package is missing.
    const { packages } = JSON.parse(lock) as { packages: Record<string, { optionalDependencies?: object }> };
    const locked = Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13));
    for (const [path, { optionalDependencies = {} }] of Object.entries(packages)) {
      for (const name of Object.keys(optionalDependencies)) expect(locked, `${path} needs ${name}`).toContain(name);
    }
    for (const nested of ['test/types', 'test/better-sqlite3'])
      expect(read(`${nested}/package-lock.json`)).not.toMatch(/"resolved":/);
    expect(statSync(join(root, '.npmrc')).isFile()).toBe(true);
    expect(read('.npmrc')).toContain('omit-lockfile-registry-resolved=true');
  });
});
