import { setTimeout as wait } from "node:timers/promises";
import type { TrafficAgent } from "./host-network.js";

export interface IntendedEdge {
  readonly client: string;
  readonly server: string;
  readonly port: number;
}

/** Says every intended thing again and again, over new connections, and remembers what was not answered. */
export class IntendedTraffic {
  readonly failures: string[] = [];
  connections = 0;
  readonly #rounds: number[] = []; // of each edge
  #isEnded = false;
  #loops: Promise<void>[] = [];

  constructor(
    private readonly agents: ReadonlyMap<string, TrafficAgent>,
    private readonly addressOf: (host: string) => string,
  ) {}

  start(edges: readonly IntendedEdge[], everyMs = 400): void {
    for (const [at, edge] of edges.entries()) {
      this.#rounds.push(0);
      this.#loops.push(this.#repeat(edge, everyMs, at));
    }
  }

  /** How often everything was said at least. */
  get rounds(): number {
    return Math.min(...this.#rounds);
  }

  async #repeat({ client, server, port }: IntendedEdge, everyMs: number, at: number): Promise<void> {
    const agent = this.agents.get(client) as TrafficAgent;
    while (!this.#isEnded) {
      // Long enough for one SYN that a busy machine lost; a packet that a rule drops is dropped every time.
      const answer = await agent.connect(this.addressOf(server), port, 6000);
      this.connections++;
      this.#rounds[at] = (this.#rounds[at] ?? 0) + 1;
      if (answer !== "ok") this.failures.push(`${client} -> ${server}:${port}: ${String(answer)}`);
      await wait(everyMs);
    }
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    await Promise.all(this.#loops);
  }
}
