/** Text out of a query or a form: what comes twice is an array, and anybody can send one. The first counts. */
export function textOf(value: unknown): string | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first : undefined;
}
