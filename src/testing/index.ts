/**
 * What authors of providers and adapters test with. Needs Node; independent of the test runner.
 *
 * @module @mca/core/testing
 */

// Conformance of adapters
export type { ConformanceCase } from './conformance-case.ts';
export { type FileImportUnderTest, fileImportConformance, type ImportFixture } from './file-import-conformance.ts';
export { type HostileZip, hostileZips, type MakeZipOptions, makeZip, type ZipEntrySpec } from './hostile-files.ts';
export { type CollectedImport, collectImport, fileOf } from './import-files.ts';
// Faults
export { type KillLoopOptions, type KillRound, type KillVerdict, killLoop, seededRandom } from './kill-loop.ts';
export {
  credentialConformance,
  type OpenStorage,
  type StorageConformanceOptions,
  type StorageUnderTest,
  storageConformance,
} from './storage-conformance.ts';
