// Preloaded into the host by `story.ts` and the test: sets the process's clock on, so that nobody has to wait half a year.
const aheadMs = Number(process.env.CLOCK_AHEAD_MS ?? 0);
const machineNow = Date.now;
Date.now = () => machineNow() + aheadMs;

export {};
