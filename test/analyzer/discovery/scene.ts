import { discover } from "../../../analyzer/discovery/discover.js";
import type { DiscoveryOptions } from "../../../analyzer/discovery/options.js";
import type { Proposal } from "../../../analyzer/proposal.js";
import type { ConversationWindow } from "../../../model/conversation.js";
import { EMPTY_INVENTORY, type Inventory, type Workload } from "../../../model/workload.js";
import { compilePolicy } from "../../../policy/verdict.js";
import { end, windowOf } from "./small-network.js";

/** A handful of workloads and what was seen of them, written as one would tell it. */
export class Scene {
  readonly windows: ConversationWindow[] = [];
  readonly inventory: Inventory;
  readonly #addressOf: Map<string, string>;

  constructor(workloads: readonly Workload[], more: Partial<Inventory> = {}) {
    const sorted = [...workloads].sort((a, b) => (a.id < b.id ? -1 : 1));
    this.inventory = { ...EMPTY_INVENTORY, ...more, workloads: sorted };
    this.#addressOf = new Map(sorted.map(({ id, addresses }) => [id, addresses[0]?.address ?? ""]));
  }

  /** `what` is "tcp/443" or the like; ends are workload ids, or addresses of `group`. */
  see(
    client: string,
    server: string,
    what: string,
    more: {
      readonly units?: readonly number[];
      readonly flows?: number;
      readonly outcome?: "answered" | "refused" | "unanswered" | "midstream";
      readonly group?: string;
      readonly row?: Partial<ConversationWindow>;
    } = {},
  ): this {
    const [protocol, port] = what.split("/") as [string, string];
    const number = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58, igmp: 2, vrrp: 112 }[protocol];
    if (number === undefined) throw new RangeError(`Cannot see "${what}": wanted a protocol of this scene`);
    const talk = {
      client: this.#addressOf.get(client) ?? client,
      server: this.#addressOf.get(server) ?? server,
      clientIdentity: end(client, more.group),
      serverIdentity: end(server, more.group),
      protocol: number,
      port: Number(port),
    };
    for (const unit of more.units ?? [0, 1, 2, 3]) {
      this.windows.push(windowOf(talk, unit, more.flows ?? 2, more.outcome, more.row));
    }
    return this;
  }

  propose(options: Partial<DiscoveryOptions> = {}): Proposal {
    return discover({ windows: this.windows, inventory: this.inventory, gaps: [], samples: () => [], options });
  }

  /** What the proposal says in deny mode: judged by the policy room's engine, not by discovery. */
  judge(proposal: Proposal): (client: string, server: string, what: string) => "open" | "closed" {
    const engine = compilePolicy(proposal.policySet, this.inventory);
    const asEnd = (text: string) =>
      text.includes("/") ? ({ kind: "workload", id: text } as const) : ({ kind: "address", address: text } as const);
    return (client, server, what) => {
      const [protocol, port] = what.split("/") as [string, string];
      const number = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58, vrrp: 112 }[protocol] ?? -1;
      const query = { client: asEnd(client), server: asEnd(server), protocol: number, port: Number(port) };
      return engine.verdict(query).verdict === "allowed" ? "open" : "closed";
    };
  }
}
