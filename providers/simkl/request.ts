import { type HttpRequest, McaError, type ProviderContext } from '@mca/core/provider-kit';
import { CLIENT_ID_FAILED } from './errors.ts';

/** Of the quota nothing is known but that there is one. */
const QUOTA_WAIT_MS = 3_600_000;

/** What is asked, and what is known of whoever asks. */
export interface Question<Output> extends Pick<HttpRequest<Output>, 'path' | 'operation' | 'query' | 'schema'> {
  /** Documented as POST until 2026: asked so where GET is not understood. */
  readonly wasPost?: boolean | undefined;
  /** The client id has worked before, so it cannot be what is wrong. */
  readonly hasWorked?: boolean | undefined;
}

/** Asks the service. */
export async function ask<Output>({ http }: ProviderContext, question: Question<Output>): Promise<Output> {
  const { wasPost = false, hasWorked = false, ...request } = question;
  try {
    return await http.request(request).catch((error: unknown) => {
      if (!wasPost || !isNotUnderstood(error)) throw error;
      return http.request({ ...request, method: 'POST', idempotent: true });
    });
  } catch (error) {
    throw hasWorked && McaError.isInstance(error) && error.reason === CLIENT_ID_FAILED ? usedUp(error) : error;
  }
}

function isNotUnderstood(error: unknown): boolean {
  return McaError.isInstance(error) && (error.code === 'not_found' || error.reason === 'wrong_method');
}

function usedUp({ message, provider }: McaError): McaError {
  return new McaError({
    code: 'rate_limit',
    reason: 'quota_used_up',
    provider,
    message,
    hint: 'The client id worked before: its total of requests seems to be used up. Ask Simkl for more if it stays so.',
    retryAfterMs: QUOTA_WAIT_MS,
  });
}
