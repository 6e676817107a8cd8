// What hosts use of this folder goes out by src/index.ts; the engines use `openContext` and `assertScopes`.
export { addConnection } from './add-connection.ts';
export { beginConnect, continueConnect } from './connect.ts';
export type {
  AddConnectionOptions,
  BeginConnectOptions,
  ConnectedStep,
  ConnectRequest,
  ConnectStep,
  ContinueConnectOptions,
  DeviceStep,
  FileStep,
  FormStep,
  GivenCredentials,
  RedirectStep,
} from './connect-steps.ts';
export { assertScopes, openContext } from './connection-context.ts';
export {
  type ConnectionRef,
  type ConnectionReport,
  connectionStatus,
  type DisconnectReport,
  disconnect,
} from './disconnect.ts';
export {
  type CallbackResult,
  type ConnectHandlers,
  type ConnectHandlersOptions,
  connectHandlers,
  type RequestUser,
} from './handlers.ts';
export { type KeyRing, type KeyRingOptions, keyRing } from './key-ring.ts';
export { type RewrapReport, rewrapCredentials } from './rewrap.ts';
export { type BoundCapability, type UserProvider, type UserProviderOptions, userProvider } from './user-provider.ts';
