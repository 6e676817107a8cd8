/** Spotify was founded in 2006; no play is older. */
export const SPOTIFY_BEGAN: number = Date.UTC(2006, 0, 1);
/** Titles and names of artists have a few hundred characters at most; what is longer is no title. */
export const TEXT_LENGTH_MAX = 2_000;
/** What is longer than this is left out of the details of a play. */
export const DETAIL_LENGTH_MAX = 1_000;
