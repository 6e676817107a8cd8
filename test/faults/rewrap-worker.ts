// The process that gets killed: moves all credentials to the new key. Argument: options as JSON.
import { writeSync } from 'node:fs';
import { rewrapCredentials } from '../../src/auth/rewrap.ts';
import { openProcess, type ProcessOptions } from './refresh-setup.ts';

const registry = await openProcess(JSON.parse(process.argv[2] ?? '{}') as ProcessOptions);
await registry.ready();
writeSync(1, 'ready\n');
const startedAt = performance.now();
const report = await rewrapCredentials(registry);
writeSync(1, JSON.stringify({ ...report, ms: performance.now() - startedAt }));
