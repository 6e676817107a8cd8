/** Seals the credentials of the bench. */
export const KEY: string = Buffer.alloc(32, 7).toString('base64');

const NEWEST = Date.UTC(2026, 0, 5);

/** A service that answers at once: who asks, or the same 50 plays. */
export function serviceOfOnePage(): typeof fetch {
  const plays = Array.from({ length: 50 }, (_, index) => ({
    id: `play-${index}`,
    played_at: NEWEST - index * 180_000,
    title: `Song ${index}`,
    artist: `Artist ${index % 7}`,
  }));
  return async (input, init) => {
    const request = new Request(input, init);
    const token = request.headers.get('authorization')?.slice(7);
    return Response.json(request.url.includes('/me') ? { id: token, name: token } : { plays, next: null, total: 50 });
  };
}
