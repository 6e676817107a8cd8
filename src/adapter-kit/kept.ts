/** How many positions of a capability are kept, so that one which the service refuses can be stepped back from. */
export const CURSORS_KEPT = 5;

/** How many lines the sync log keeps of each capability of a connection. */
export const SYNC_LOG_KEPT = 100;

/** How far a backlog is counted: knowing that there is more is enough, and counting millions takes seconds. */
export const BACKLOG_COUNTED: number = 10_000;
