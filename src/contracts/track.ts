/** A recording as a catalogue or playlist lists it. */
export interface Track {
  /** Id in the service that answered. */
  readonly id: string;
  readonly name: string;
  /** Credited artists in the order of the service. */
  readonly artists: readonly string[];
  readonly album?: string | undefined;
  /** Length in milliseconds. */
  readonly durationMs?: number | undefined;
  /** Start of the play, UTC, when the track comes from a history. */
  readonly playedAt?: Date | undefined;
  readonly url?: string | undefined;
  /** ISRC without dashes; filled whenever the service gives it. */
  readonly isrc?: string | undefined;
}
