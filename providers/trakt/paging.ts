import { cursorInvalid, McaError, type ProviderContext } from '@mca/core/provider-kit';
import { page } from './schemas.ts';

/** The service cuts what is larger. It may cut further: go on by what it answered, never by this. */
const MOST_PER_PAGE = 250;
/** So many pages of one list nobody has: the service gives the same one again and again. */
const MOST_PAGES = 1_000;

/** Which page of which list. */
export interface ListRequest {
  readonly path: string;
  readonly operation: string;
  readonly page: number;
  readonly limit: number;
  /** Bounds of the list, where it has some. */
  readonly bounds?: { readonly start_at?: string | undefined; readonly end_at?: string | undefined } | undefined;
}

/**
 * One page of a list. How many there are says a header, and headers are not seen here: a list ends with an empty page.
 *
 * @throws McaError `upstream` `endless_list` when a list has more pages than anybody has records
 */
export async function askPage({ http }: ProviderContext, request: ListRequest): Promise<readonly unknown[]> {
  const { path, operation, bounds } = request;
  if (request.page > MOST_PAGES) {
    throw new McaError({
      code: 'upstream',
      reason: 'endless_list',
      provider: 'trakt',
      retryable: false,
      message: `Trakt gave ${MOST_PAGES} pages of one list, and says there are more.`,
    });
  }
  const limit = Math.min(request.limit, MOST_PER_PAGE);
  return await http.request({ path, operation, query: { page: request.page, limit, ...bounds }, schema: page });
}

/** The page number in a position; refuses what is none. */
export function pageOf(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw cursorInvalid('trakt');
  return Number(text);
}
