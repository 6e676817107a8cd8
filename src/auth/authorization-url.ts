import type { AuthStrategy } from '../contracts/auth.ts';

/** Address of the page on which the user agrees. The flow's own parameters win over the provider's extra ones. */
export async function authorizationUrl(
  strategy: Extract<AuthStrategy, { readonly type: 'oauth2' }>,
  flow: {
    readonly state: string;
    readonly scopes: readonly string[];
    readonly redirectUri: string;
    readonly verifier: string | undefined;
  },
): Promise<string> {
  const url = new URL(strategy.authorizationEndpoint);
  const parameters: Record<string, string> = {
    ...strategy.authorizationParameters,
    client_id: strategy.clientId,
    response_type: 'code',
    redirect_uri: flow.redirectUri,
    state: flow.state,
  };
  if (flow.scopes.length > 0) parameters.scope = flow.scopes.join(strategy.scopeSeparator ?? ' ');
  if (flow.verifier !== undefined) {
    const { calculatePKCECodeChallenge } = await import('oauth4webapi');
    parameters.code_challenge = await calculatePKCECodeChallenge(flow.verifier);
    parameters.code_challenge_method = 'S256';
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}
