/** One thing that a process needs, or that is worth knowing of it. */
export interface Condition {
  readonly name: string; // such as "store"
  readonly isMet: boolean | "unknown";
  readonly isNeeded: boolean; // whether the process is not ready without it
  readonly text: string; // what holds now, in a few words
}

/** What a process tells of itself to whoever runs it. */
export interface Probes {
  readonly version: string;
  /** Answers at once, from what is known: nothing is tried for it. */
  readonly conditions: () => readonly Condition[];
  /** In the text format of Prometheus. */
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>;
}

export const PROBE_PATHS = ["/healthz", "/readyz", "/metrics"] as const;
export type ProbePath = (typeof PROBE_PATHS)[number];

export interface ProbeAnswer {
  readonly status: 200 | 503;
  readonly type: string;
  readonly text: string;
}

const json = (status: 200 | 503, body: object): ProbeAnswer => ({
  status,
  type: "application/json; charset=utf-8",
  text: `${JSON.stringify(body)}\n`,
});

/**
 * - `/healthz`: the process is alive and answers. Whoever gets no answer restarts it.
 * - `/readyz`: everything that is needed holds. An unknown need is not a met one.
 * - `/metrics`: the numbers.
 */
export async function probe(path: ProbePath, { version, conditions, metrics }: Probes): Promise<ProbeAnswer> {
  switch (path) {
    case "/healthz":
      return json(200, { status: "ok", version });
    case "/readyz": {
      const known = conditions();
      const isReady = known.every(({ isMet, isNeeded }) => isMet === true || !isNeeded);
      return json(isReady ? 200 : 503, { status: isReady ? "ready" : "not ready", version, conditions: known });
    }
    case "/metrics":
      return { status: 200, ...(await metrics()) };
  }
}
