import type { Keyset } from '../contracts/storage/index.ts';
import { compareText } from './content-order.ts';

/** Compares two positions in reading order `oldest`: time, then platform, then external id. `newest` is its exact reverse. */
export function compareKeysets(a: Keyset, b: Keyset): number {
  return a.consumedAt - b.consumedAt || compareText(a.platform, b.platform) || compareText(a.externalId, b.externalId);
}
