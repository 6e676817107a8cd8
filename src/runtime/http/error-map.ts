import type { ErrorCode } from '../../contracts/error-codes.ts';
import type { ErrorRule } from '../../contracts/error-rule.ts';
import { McaError } from '../../contracts/errors.ts';
import type { AnyProvider } from '../../contracts/provider.ts';

/** An answer as far as its meaning goes. */
export interface AnswerToJudge {
  readonly status: number;
  /** `undefined` when the body is empty or no JSON. */
  readonly json: unknown;
  /** The body's text. */
  readonly text: () => string;
  /** How long the service asks to wait. */
  readonly retryAfterMs: number | undefined;
}

/** What an answer means by the provider's table and the defaults of HTTP; `undefined` when all is well. */
export function errorOf(provider: AnyProvider, operation: string, answer: AnswerToJudge): McaError | undefined {
  const rule = provider.errors?.find((each) => fits(each, answer));
  const code = rule?.code ?? defaultCode(answer.status);
  if (code === undefined) return undefined;
  return new McaError({
    code,
    reason: rule?.reason,
    hint: rule?.hint,
    provider: provider.id,
    message: `${provider.name} answered "${operation}" with status ${answer.status}${rule?.reason ? ` (${rule.reason})` : ''}.`,
    retryable: rule?.retryable,
    retryAfterMs: answer.retryAfterMs ?? rule?.retryAfterMs,
  });
}

function fits(rule: ErrorRule, answer: AnswerToJudge): boolean {
  if (rule.status !== undefined && ![rule.status].flat().includes(answer.status)) return false;
  if (rule.field && !hasValue(answer.json, rule.field.path, rule.field.equals)) return false;
  return rule.text === undefined || answer.text().toLowerCase().includes(rule.text.toLowerCase());
}

function hasValue(json: unknown, path: string, values: readonly (string | number)[]): boolean {
  let value = json;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false;
    value = (value as Record<string, unknown>)[key];
  }
  return values.some((each) => each === value || (typeof each === 'number' && String(each) === value));
}

function defaultCode(status: number): ErrorCode | undefined {
  if (status >= 200 && status < 300) return undefined;
  if (status === 401) return 'auth_expired';
  if (status === 403) return 'permission_denied';
  if (status === 404) return 'not_found';
  if (status === 429) return 'rate_limit';
  return status >= 400 && status < 500 ? 'invalid_data' : 'upstream';
}
