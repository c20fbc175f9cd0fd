/** Spans are measured by `monotonicMs`; the wall clock dates reports and signatures and decides nothing else. */
export interface Clock {
  readonly monotonicMs: () => number; // since the machine booted, so that it goes on over restarts of the process
  readonly wallMs: () => number;
}

export const SYSTEM_CLOCK: Clock = {
  monotonicMs: () => Number(process.hrtime.bigint() / 1_000_000n),
  wallMs: () => Date.now(),
};
