/** What a TikTok link names. */
export interface Link {
  /** All 19 digits, or the code of a short link. */
  readonly id: string;
  /** The link names a video, not just a short code that leads to one. */
  readonly isVideoId: boolean;
  readonly isPhoto: boolean;
  readonly user: string | undefined;
  /** Without query: it may tell who shared the link. */
  readonly url: string;
}

const host = String.raw`^https?:\/\/(?:[a-z0-9-]{1,40}\.){0,3}tiktokv?\.(?:com|us|eu)\/`;
const end = String.raw`(?:\.html)?\/?(?:[?#]|$)`;
const videoPattern = new RegExp(
  `${host}(?:@(?<user>[^/?#\\s]{0,100})\\/|share\\/)?(?<kind>video|photo|v)\\/(?<id>\\d{15,20})${end}`,
  'i',
);
const shortPattern = new RegExp(
  String.raw`^https?:\/\/(?:v[mt]\.tiktok\.com\/|(?:www\.)?tiktok\.com\/t\/)(?<code>[A-Za-z0-9]{5,20})${end}`,
  'i',
);

/** No link of the export comes near it. */
export const LINK_LENGTH_MAX = 2_048;

/** Reads the link shapes of the export; `undefined` for anything else. */
export function parseLink(text: string): Link | undefined {
  if (text.length > LINK_LENGTH_MAX) return undefined;
  const queryAt = text.search(/[?#]/);
  const url = queryAt === -1 ? text : text.slice(0, queryAt);
  const video = videoPattern.exec(text)?.groups;
  if (video?.id !== undefined) {
    // `@_` and `@` stand where the user is not known.
    const user = video.user === '_' || video.user === '' ? undefined : video.user;
    return { id: video.id, isVideoId: true, isPhoto: video.kind?.toLowerCase() === 'photo', user, url };
  }
  const code = shortPattern.exec(text)?.groups?.code;
  return code === undefined ? undefined : { id: code, isVideoId: false, isPhoto: false, user: undefined, url };
}
