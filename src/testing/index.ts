/**
 * What authors of providers and adapters test with. Needs Node; independent of the test runner.
 *
 * @module @mca/core/testing
 */

// Recorded services
export { type Cassette, type CassetteOptions, type CassetteScrub, cassette } from './cassettes.ts';
// Catalogues
export { type CatalogUnderTest, catalogConformance } from './catalog-conformance.ts';
// Conformance of adapters
export type { ConformanceCase } from './conformance-case.ts';
export { type FakeClock, type FakeClockOptions, fakeClock } from './fake-clock.ts';
// Fake services
export type {
  FakeOAuthBehaviour,
  FakeOAuthCall,
  FakeOAuthEndpoints,
  FakeOAuthFailure,
  FakeOAuthServer,
} from './fake-oauth.ts';
export type { FakeGrant } from './fake-oauth-grants.ts';
export { createFakeOAuthServer } from './fake-oauth-server.ts';
// Live services
export { type FakeCapabilities, type FakeProviderOptions, fakeProvider } from './fake-provider.ts';
export {
  type FakeFailure,
  type FakePlay,
  FakeService,
  type FakeServiceCall,
  type FakeServiceOptions,
} from './fake-service.ts';
export { type FaultFetch, type FaultFetchOptions, type FetchFault, faultFetch } from './fault-fetch.ts';
export { type ConnectionFault, type FaultProxy, type FaultProxyOptions, faultProxy } from './fault-proxy.ts';
export { type FileImportUnderTest, fileImportConformance, type ImportFixture } from './file-import-conformance.ts';
export {
  type ExpectedError,
  type ForeignCursor,
  type GrowingService,
  type HistoryUnderTest,
  historyConformance,
} from './history-conformance.ts';
export { type HostileZip, hostileZips, type MakeZipOptions, makeZip, type ZipEntrySpec } from './hostile-files.ts';
export { type CollectedImport, collectImport, fileOf } from './import-files.ts';
export {
  type EngineUnderTest,
  type JobConformanceOptions,
  jobEngineConformance,
  type QueueUnderTest,
} from './job-conformance.ts';
// Faults
export { type KillLoopOptions, type KillRound, type KillVerdict, killLoop, seededRandom } from './kill-loop.ts';
export { type LimiterConformanceOptions, limiterConformance } from './limiter-conformance.ts';
export { type ProviderContextOptions, providerContext } from './provider-context.ts';
export type { ShrinkingService } from './removal-cases.ts';
export {
  credentialConformance,
  type OpenStorage,
  type StorageConformanceOptions,
  type StorageUnderTest,
  storageConformance,
} from './storage-conformance.ts';
export { type Trace, type VirtualEnv, type VirtualProcess, virtualEnv } from './virtual-env.ts';
