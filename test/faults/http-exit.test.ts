import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { recordFigure } from '../support/reliability.ts';

const worker = fileURLToPath(new URL('./http-exit-worker.ts', import.meta.url));

test('R-042 after an abort nothing keeps the process alive', async () => {
  const server = createServer(() => {});
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const child = spawn(process.execPath, ['--conditions=@mca/source', worker, String(port)]);
  let output = '';
  let printedAt = 0;
  child.stdout.on('data', (chunk) => {
    output += chunk;
    printedAt = performance.now();
  });
  let faults = '';
  child.stderr.on('data', (chunk) => {
    faults += chunk;
  });
  const code = await new Promise((done) => child.on('exit', done));
  const exitMs = performance.now() - printedAt;
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  expect(faults).toBe('');
  expect(code).toBe(0);
  expect(JSON.parse(output)).toEqual({ codes: ['cancelled'], left: [] });
  expect(exitMs).toBeLessThanOrEqual(1_000);
  recordFigure('R-042', `20 hanging calls aborted: 0 handles left, exit after ${Math.round(exitMs)} ms`);
});
