/** How many positions of a capability are kept, so that one which the service refuses can be stepped back from. */
export const CURSORS_KEPT = 5;

/** How many lines the sync log keeps of each capability of a connection. */
export const SYNC_LOG_KEPT = 100;
