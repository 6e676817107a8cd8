import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const KIT = new URL('../../src/provider-kit/', import.meta.url);

// Runs in a process of its own: only there is the peak the reader's own.
const SCRIPT = `
import { readFileSync } from 'node:fs';
const { readCsv } = await import('${KIT}csv-records.ts');
const { readJsonRecords } = await import('${KIT}json-records.ts');
const [kind, mebibytes] = process.argv.slice(-2);
const status = (key) => Number(new RegExp(key + ':\\\\s+(\\\\d+)').exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
const isCsv = kind === 'csv';
const record = isCsv
  ? 'Anna,2024-01-01 20:11:00,00:42:00,,"Some Show: Season 1: ""Pilot"" é",,Netflix Chrome HTML 5 (Windows),00:41:12\\n'
  : JSON.stringify({ ts: '2015-01-01T06:00:00Z', platform: 'ios', ms_played: 1234, track: 'Blue Night é', artist: 'Golden River',
      uri: 'spotify:track:0123456789012345678901', episode: null, skipped: false }) + ',\\n';
const encoder = new TextEncoder();
const block = encoder.encode(record.repeat(Math.ceil(65_536 / record.length)));
// Made on the fly: a fixture of this size would be the memory that is measured.
function file(bytes) {
  const parts = (function* () {
    yield encoder.encode(isCsv ? 'a,b,c,d,e,f,g,h\\n' : '[');
    for (let sent = 0; sent < bytes; sent += block.length) yield block.slice();
    yield encoder.encode(isCsv ? record : record.slice(0, -2) + ']');
  })();
  const open = () => new ReadableStream({ pull(controller) {
    const { done, value } = parts.next();
    if (done) controller.close(); else controller.enqueue(value);
  } });
  return { name: 'file', open };
}
async function count(bytes) {
  let records = 0;
  if (isCsv) for await (const batch of readCsv(file(bytes))) records += batch.rows.length;
  else for await (const batch of readJsonRecords(file(bytes))) records += batch.records.length;
  return records;
}
await count(1);
const before = status('VmRSS');
const records = await count(mebibytes * 1024 * 1024);
const wanted = Math.ceil(mebibytes * 1024 * 1024 / block.length) * Math.ceil(65_536 / record.length) + 1;
if (records !== wanted) throw new Error(records + ' records instead of ' + wanted);
console.log(Math.round(status('VmHWM') - before));
`;

/**
 * Reads a file of so many MiB in a child process whose heap could not hold it.
 *
 * The young generation is held at its initial 16 MiB: V8 lets it grow with running time, not with the file's size.
 *
 * @returns by how many MiB its resident memory grew at its peak
 */
export async function constantMemory(kind: 'csv' | 'json', mebibytes: number): Promise<number> {
  const flags = ['--max-old-space-size=128', '--max-semi-space-size=16', '--experimental-strip-types', '--no-warnings'];
  const args = [...flags, '--input-type=module', '-e', SCRIPT, '--', kind, String(mebibytes)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { PATH: process.env.PATH } });
  return Number(stdout);
}
