// The process that gets killed: renews the tokens of a connection again and again, and calls the API with each of them.
// Arguments: options as JSON, `real` or `naive` (which calls the API before it stores).
import { writeSync } from 'node:fs';
import { TokenKeeper } from '../../src/auth/refresh-tokens.ts';
import { Secret } from '../../src/auth/secret.ts';
import { providerOf, strategyOf } from '../../src/auth/strategies.ts';
import { TokenEndpoint } from '../../src/auth/token-endpoint.ts';
import { vaultOf } from '../../src/auth/vault.ts';
import { openProcess, type ProcessOptions } from './refresh-setup.ts';

const [json = '{}', variant = 'real'] = process.argv.slice(2);
const options = JSON.parse(json) as ProcessOptions;
const registry = await openProcess(options);
await registry.ready();
const never = new AbortController().signal;
const [connection] = await registry.storage.listConnections({ id: 'c' });
if (!connection) throw new Error('The connection should be there.');
const here = connection;
const provider = providerOf(registry, 'fake');
const strategy = strategyOf(provider, 'oauth2');
const keeper = new TokenKeeper(registry, here, provider, strategy);

async function callApi(token: string): Promise<void> {
  await fetch(`${options.origin}/me`, { headers: { authorization: `Bearer ${token}` } });
}

async function renewReal(): Promise<void> {
  const { credentials } = await keeper.fresh(never);
  const renewed = await keeper.fresh(never, credentials.accessToken);
  await callApi(renewed.credentials.accessToken.reveal());
}

async function renewNaive(): Promise<void> {
  const stored = await vaultOf(registry).read(here);
  if (stored?.credentials.kind !== 'oauth') throw new Error('No tokens are stored.');
  const { refreshToken = new Secret('') } = stored.credentials;
  const grant = await new TokenEndpoint(registry, provider, strategy, never).refresh(refreshToken);
  await callApi(grant.accessToken.reveal());
  const { accessToken, refreshToken: next } = grant;
  await vaultOf(registry).overwrite(here, { ...stored.credentials, accessToken, ...(next && { refreshToken: next }) });
}

// The parent's clock starts here.
writeSync(1, 'ready');
try {
  for (;;) await (variant === 'real' ? renewReal() : renewNaive());
} catch (error) {
  const { code, reason, message } = error as { code?: string; reason?: string; message: string };
  writeSync(1, `\nended: ${code ? `${code} ${reason}` : message}`);
}
