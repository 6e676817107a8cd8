import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Consumer, packedConsumer } from './packed-consumer.ts';

let consumer: Consumer;
beforeAll(() => {
  consumer = packedConsumer();
  return () => consumer.remove();
}, 120_000);

describe('the tarball', () => {
  test('holds what users need and nothing else', () => {
    for (const path of consumer.files)
      expect(path).toMatch(
        /^(package\.json|LICENSE|[A-Z]+\.md|dist\/.+\.(js|d\.ts)|(src|providers|adapters)\/.+\.(ts|md)|docs\/.+\.md|examples\/provider-template\/.+)$/,
      );
    const own = consumer.files.filter((path) => !path.startsWith('examples/provider-template/'));
    for (const path of own) expect(path).not.toMatch(/\.test\.|__fixtures__|docs\/reference|\/\./);
    expect(consumer.files).toContain('dist/index.js');
    expect(consumer.files).toContain('dist/types/src/index.d.ts');
  });

  test('declarations name no type of a dependency', () => {
    const declarations = consumer.files.filter((path) => path.endsWith('.d.ts'));
    for (const path of declarations) {
      // Examples in doc comments show whole programs.
      const text = readFileSync(`${consumer.packageFolder}/${path}`, 'utf8').replaceAll(/\/\*\*[\s\S]*?\*\//g, '');
      // Provider schemas are internal modules; what a host imports must not drag a schema library in.
      if (!/schemas\.d\.ts$/.test(path))
        expect(text, path).not.toMatch(
          /from ['"](zod|csv-parse|yauzl|better-sqlite3|pg|ioredis|bottleneck|@opentelemetry)/,
        );
    }
  });
});

describe('TypeScript', () => {
  const versions = ['5.9', '6.0', '7.0'];
  const modes = [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ] as const;
  for (const version of versions) {
    for (const [module, resolution] of modes) {
      test(`${version} with ${resolution} compiles a host against the tarball, and refuses what must be refused`, () => {
        consumer.compile(version, module, resolution);
      }, 180_000);
    }
  }
});

describe('at run time', () => {
  test('a plain Node program imports, reads back and exports', () => {
    expect(JSON.parse(consumer.run('host.mjs'))).toEqual({
      status: 'complete',
      inserted: 2,
      again: 0,
      lines: 2,
      titles: ['Song 1', 'Song 0'],
    });
  });

  test('the root entry loads no Node module and no dependency', () => {
    const loaded = consumer.run('loaded.mjs').trim().split('\n');
    expect(loaded.filter((url) => !url.includes('@mca/core/dist/') && !url.endsWith('loaded.mjs'))).toEqual([]);
  });

  test('P8 registry, importFile and one provider are at most 25 KB of our own code, minified and gzipped; a browser bundle of the root works', async () => {
    const bundle = async (contents: string, platform: 'node' | 'browser') => {
      const { outputFiles } = await build({
        stdin: { contents, resolveDir: consumer.folder },
        bundle: true,
        minify: true,
        write: false,
        format: 'esm',
        platform,
        splitting: false,
        external:
          platform === 'node' ? ['zod', 'csv-parse', 'yauzl', 'ky', 'p-retry', 'bottleneck', 'oauth4webapi'] : [],
        logLevel: 'silent',
      });
      return gzipSync(outputFiles[0]?.contents ?? new Uint8Array()).length;
    };
    const size = await bundle(
      "import { createRegistry, importFile } from '@mca/core'; import { spotify } from '@mca/core/providers/spotify'; console.log(createRegistry, importFile, spotify);",
      'node',
    );
    console.log(`own code: ${size} bytes`);
    expect(size).toBeLessThanOrEqual(25_000);
    expect(await bundle("export * from '@mca/core';", 'browser')).toBeGreaterThan(1_000);
  });

  test('the production tree has at most 12 packages, none with install scripts', () => {
    const tree = JSON.parse(
      execFileSync('npm', ['ls', '--omit=dev', '--all', '--json', '--long'], {
        encoding: 'utf8',
        maxBuffer: 64_000_000,
      }),
    ) as Tree;
    const packages = new Map<string, Tree>();
    const walk = ({ dependencies = {} }: Tree): void => {
      for (const [name, child] of Object.entries(dependencies)) {
        packages.set(name, child);
        walk(child);
      }
    };
    walk(tree);
    expect(packages.size).toBeLessThanOrEqual(12);
    for (const [name, { scripts = {} }] of packages)
      expect(Object.keys(scripts), name).not.toEqual(expect.arrayContaining(['install']));
  });
});

interface Tree {
  readonly dependencies?: Record<string, Tree>;
  readonly scripts?: Record<string, string>;
}
