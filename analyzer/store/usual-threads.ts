import { availableParallelism } from "node:os";

/** Threads of a store that is not told how many: never more than cores, as two that share one take longer than one alone. */
export const USUAL_THREADS = Math.min(2, availableParallelism());
