import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

function markdown(): string[] {
  const below = (folder: string) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter(
        (entry) =>
          entry.isFile() && entry.name.endsWith('.md') && !/node_modules|reference|__fixtures__/.test(entry.parentPath),
      )
      .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  return [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    ...['docs', 'providers', 'adapters', 'examples'].flatMap(below),
  ];
}

test('every TypeScript block of the docs compiles, strictly', () => {
  const folder = join(root, '.tmp/docs');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  let blocks = 0;
  for (const path of markdown()) {
    for (const [, code = ''] of readFileSync(join(root, path), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)) {
      blocks += 1;
      writeFileSync(join(folder, `${path.replace(/[^A-Za-z0-9]+/g, '-')}-${blocks}.ts`), `${code}\nexport {};\n`);
    }
  }
  expect(blocks).toBeGreaterThan(10);
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tsconfig.json',
      compilerOptions: { rootDir: '../..', noUnusedLocals: false, noUnusedParameters: false },
      include: ['*.ts'],
      exclude: [],
    }),
  );
  try {
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], { encoding: 'utf8' });
  } catch (error) {
    throw new Error((error as { stdout: string }).stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('links between documents lead somewhere', () => {
  const broken = markdown().flatMap((path) =>
    [...readFileSync(join(root, path), 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
      .map(([, target = '']) => relative(root, join(root, path, '..', target)))
      .filter((target) => !target.startsWith('docs/reference'))
      .filter((target) => {
        try {
          readdirSync(join(root, target));
          return false;
        } catch (error) {
          return (error as NodeJS.ErrnoException).code !== 'ENOTDIR';
        }
      })
      .map((target) => `${path}: ${target}`),
  );
  expect(broken).toEqual([]);
});

test('documents that are shipped link to what is shipped; the README may show what only a clone has', () => {
  const unshipped = markdown()
    .filter((path) => /^(docs|providers|adapters|examples\/provider-template)\//.test(path))
    .flatMap((path) =>
      [...readFileSync(join(root, path), 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
        .map(([, target = '']) => relative(root, join(root, path, '..', target)))
        .filter((target) => /^(examples\/(?!provider-template)|test\/|scripts\/|docs\/images)/.test(target))
        .map((target) => `${path}: ${target}`),
    );
  expect(unshipped).toEqual([]);
});
