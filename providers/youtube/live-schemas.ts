import { z } from 'zod';

/** A video in the list of likes. */
export interface LikedVideo {
  readonly snippet: {
    /** When it was liked, ISO 8601. */
    readonly publishedAt: string;
    readonly title: string;
    readonly videoOwnerChannelTitle?: string | undefined;
    readonly videoOwnerChannelId?: string | undefined;
    readonly resourceId: { readonly videoId: string };
  };
  /** What is known of the video besides; absent for one that is gone. */
  readonly video?: VideoFacts | undefined;
}

/** Facts about a video that lists leave out. */
export interface VideoFacts {
  readonly id: string;
  readonly contentDetails?: { readonly duration?: string | undefined } | undefined;
  readonly topicDetails?: { readonly topicCategories?: readonly string[] | undefined } | undefined;
}

/** A page of a list of Google's: `items` is absent when there are none. */
export interface GooglePage {
  readonly items?: readonly unknown[] | undefined;
  readonly nextPageToken?: string | undefined;
  readonly pageInfo?: { readonly totalResults?: number | undefined } | undefined;
}

/** The user's own channel. */
export interface Channel {
  readonly id: string;
  readonly snippet?: { readonly title?: string | undefined } | undefined;
  readonly contentDetails?:
    | { readonly relatedPlaylists?: { readonly likes?: string | undefined } | undefined }
    | undefined;
}

export const googlePage: z.ZodType<GooglePage> = z.object({
  items: z.array(z.unknown()).optional(),
  nextPageToken: z.string().optional(),
  pageInfo: z.object({ totalResults: z.number().optional() }).optional(),
});

export const channel: z.ZodType<Channel> = z.object({
  id: z.string().min(1),
  snippet: z.object({ title: z.string().optional() }).optional(),
  contentDetails: z.object({ relatedPlaylists: z.object({ likes: z.string().optional() }).optional() }).optional(),
});

export const videoFacts: z.ZodType<VideoFacts> = z.object({
  id: z.string().min(1),
  contentDetails: z.object({ duration: z.string().optional() }).optional().catch(undefined),
  topicDetails: z
    .object({ topicCategories: z.array(z.string()).optional() })
    .optional()
    .catch(undefined),
});

export const likedVideo: z.ZodType<LikedVideo> = z.object({
  snippet: z.object({
    publishedAt: z.string(),
    title: z.string(),
    videoOwnerChannelTitle: z.string().optional(),
    videoOwnerChannelId: z.string().optional(),
    resourceId: z.object({ videoId: z.string().min(1).max(64) }),
  }),
  video: videoFacts.optional(),
});

/** The moment, and the video, of a record that may be bad otherwise. */
export const likedStamp: z.ZodType<{
  readonly snippet: {
    readonly publishedAt: string;
    readonly resourceId?: { readonly videoId?: string | undefined } | undefined;
  };
}> = z.object({
  snippet: z.object({
    publishedAt: z.string(),
    resourceId: z.object({ videoId: z.string().optional() }).optional(),
  }),
});
