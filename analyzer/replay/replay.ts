import { parseAddress } from "../../model/address.js";
import type { EndIdentity } from "../../model/conversation.js";
import { identityKey, sharedMembers } from "../../model/identity-index.js";
import { formatProtocol } from "../../model/protocol.js";
import type { Inventory } from "../../model/workload.js";
import type { CompiledPolicy } from "../../policy/decision/compiled-policy.js";
import { servicePoint } from "../../policy/decision/service-line.js";
import type { PolicySet } from "../../policy/policy-set.js";
import { compilePolicy } from "../../policy/verdict.js";
import { classOfAddress } from "../discovery/address-class.js";
import { housekeepingReason } from "../discovery/housekeeping.js";
import type { EdgeActivity } from "../store/edge-activity.js";
import { HourSet, hoursIn } from "./hour-set.js";

/** What a policy would have done to one edge of the past. */
export interface ReplayedEdge {
  readonly client: string; // "workload:<id>" or "group:<name>"
  readonly server: string;
  readonly protocol: string;
  readonly port: number; // ICMP type for ICMP
  readonly isAllowed: boolean; // else it would be denied, in audit mode as in deny mode
  readonly rules: readonly string[]; // that decided, sorted; none where no policy governs either end
  readonly reason: string; // why it would be denied, or passes without a rule; "" when rules allow it
  readonly flows: number; // answered or already open: traffic that would have been missed
  readonly attempts: number; // refused or unanswered
  readonly windows: number; // distinct hours
  readonly firstSeenUs: number;
  readonly lastSeenUs: number;
}

export interface ReplayedRule {
  readonly id: string;
  readonly flows: number;
  readonly windows: number;
  readonly edges: number;
}

export interface ReplayResult {
  readonly conversationWindows: number;
  readonly allowedFlows: number;
  readonly deniedFlows: number;
  readonly edges: readonly ReplayedEdge[]; // those that would be denied first, most flows first
  readonly rules: readonly ReplayedRule[]; // sorted by id, unused ones with zeros
  readonly unusedRules: readonly string[];
}

interface Decided {
  readonly isAllowed: boolean;
  readonly rules: readonly string[];
  readonly reason: string;
}

interface Tally extends Decided {
  readonly client: string;
  readonly server: string;
  readonly protocol: number;
  readonly port: number;
  readonly hours: HourSet;
  flows: number;
  attempts: number;
  firstSeenUs: number;
  lastSeenUs: number;
}

/** An end of conversations: its points in the compiled policy, several for a shared address, all of which must be allowed. */
interface End {
  readonly number: number;
  readonly key: string;
  readonly points: readonly number[];
  readonly talliesAsClient: Map<number, Map<number, Tally>>; // by number of the server's end, then service
}

/**
 * Asks a policy about stored conversations: `add` what was seen in any order, then read the `result`. A conversation is judged
 * once for each pair of ends and service; everything else is counting.
 */
export class Replay {
  private readonly policy: CompiledPolicy;
  private readonly workloads: ReadonlySet<string>;
  private readonly ends = new Map<string, End>();
  private readonly endsOfWorkloads = new Map<EndIdentity, readonly [End | undefined, End | undefined]>();
  private added = 0;

  constructor(
    private readonly policySet: PolicySet,
    private readonly inventory: Inventory,
  ) {
    this.policy = compilePolicy(policySet, inventory);
    this.workloads = new Set(inventory.workloads.map((workload) => workload.id));
  }

  add(seen: Iterable<EdgeActivity>): void {
    for (const activity of seen) {
      const client = this.endOf(activity.clientIdentity, activity.client);
      const server = this.endOf(activity.serverIdentity, activity.server);
      const tally = this.tallyOf(client, server, activity);
      const { answered, refused, unanswered, midstream } = activity.flows;
      tally.flows += answered + midstream;
      tally.attempts += refused + unanswered;
      tally.hours.add(activity.hourBlock, activity.hourMask);
      if (activity.firstSeenUs < tally.firstSeenUs) tally.firstSeenUs = activity.firstSeenUs;
      if (activity.lastSeenUs > tally.lastSeenUs) tally.lastSeenUs = activity.lastSeenUs;
      this.added += hoursIn(activity.hourMask);
    }
  }

  private endOf(identity: EndIdentity, address: string): End {
    const family = address.includes(":") ? 1 : 0;
    const known = this.endsOfWorkloads.get(identity)?.[family];
    if (known !== undefined) return known;
    if (identity.kind === "group") return this.endOfGroup(identity.name, address);
    const points = this.workloads.has(identity.id)
      ? [this.policy.pointOfWorkload(identity.id, family === 0 ? 4 : 6)]
      : [this.policy.pointOfAddress(parseAddress(address))];
    const end = this.remember(`${identityKey(identity)} ${family}`, identityKey(identity), points);
    const [v4, v6] = this.endsOfWorkloads.get(identity) ?? [undefined, undefined];
    this.endsOfWorkloads.set(identity, family === 0 ? [end, v6] : [v4, end]);
    return end;
  }

  private endOfGroup(name: string, address: string): End {
    const id = `group:${name} ${address}`;
    const known = this.ends.get(id);
    if (known !== undefined) return known;
    const family = address.includes(":") ? 6 : 4;
    const members = sharedMembers(this.inventory, name)?.filter((member) => this.workloads.has(member));
    const points =
      members === undefined || members.length === 0
        ? [this.policy.pointOfAddress(parseAddress(address))]
        : members.map((member) => this.policy.pointOfWorkload(member, family));
    return this.remember(id, `group:${name}`, points);
  }

  private remember(id: string, key: string, points: readonly number[]): End {
    const known = this.ends.get(id);
    if (known !== undefined) return known;
    const end: End = { number: this.ends.size, key, points, talliesAsClient: new Map() };
    this.ends.set(id, end);
    return end;
  }

  private tallyOf(client: End, server: End, activity: EdgeActivity): Tally {
    let services = client.talliesAsClient.get(server.number);
    if (services === undefined) {
      services = new Map();
      client.talliesAsClient.set(server.number, services);
    }
    const service = servicePoint(activity.protocol, activity.serverPort);
    let tally = services.get(service);
    if (tally === undefined) {
      tally = {
        ...this.decide(client, server, service, activity),
        client: client.key,
        server: server.key,
        protocol: activity.protocol,
        port: activity.serverPort,
        hours: new HourSet(),
        flows: 0,
        attempts: 0,
        firstSeenUs: Number.POSITIVE_INFINITY,
        lastSeenUs: Number.NEGATIVE_INFINITY,
      };
      services.set(service, tally);
    }
    return tally;
  }

  private decide(client: End, server: End, service: number, activity: EdgeActivity): Decided {
    const serverClass = classOfAddress(activity.server);
    const housekeeping = housekeepingReason({
      ...{ client, server, serverClass },
      ...{ protocol: activity.protocol, port: activity.serverPort },
    });
    if (housekeeping !== undefined) return { isAllowed: true, rules: [], reason: housekeeping };
    const rules = new Set<string>();
    for (const from of client.points) {
      for (const to of server.points) {
        const decision = this.policy.explain(from, to, service);
        if (decision.verdict !== "allowed") {
          const end = decision.egress.verdict === decision.verdict ? decision.egress : decision.ingress;
          return { isAllowed: false, rules: end.rules, reason: end.reason };
        }
        for (const rule of decision.rules) rules.add(rule);
      }
    }
    return { isAllowed: true, rules: [...rules].sort(), reason: "" };
  }

  result(): ReplayResult {
    const all = [...this.ends.values()].flatMap(({ talliesAsClient }) => [...talliesAsClient.values()]);
    const tallies = joinFamilies(all.flatMap((services) => [...services.values()]));
    const edges = tallies.map(({ hours, protocol, ...tally }) => ({
      ...tally,
      protocol: formatProtocol(protocol),
      windows: hours.size,
    }));
    const order = (edge: ReplayedEdge) => `${edge.client}>${edge.server}/${edge.protocol}/${edge.port}`;
    edges.sort(
      (a, b) => Number(a.isAllowed) - Number(b.isAllowed) || b.flows - a.flows || (order(a) < order(b) ? -1 : 1),
    );
    const flows = (isAllowed: boolean) =>
      tallies.reduce((sum, tally) => (tally.isAllowed === isAllowed ? sum + tally.flows : sum), 0);
    const rules = this.rulesOf(tallies);
    return {
      conversationWindows: this.added,
      allowedFlows: flows(true),
      deniedFlows: flows(false),
      edges,
      rules,
      unusedRules: rules.filter((rule) => rule.edges === 0).map((rule) => rule.id),
    };
  }

  private rulesOf(tallies: readonly Tally[]): ReplayedRule[] {
    const used = new Map(this.policySet.rules.map(({ id }) => [id, { flows: 0, hours: new HourSet(), edges: 0 }]));
    for (const tally of tallies) {
      for (const id of tally.rules) {
        const rule = used.get(id);
        if (rule === undefined) continue;
        rule.flows += tally.flows;
        rule.edges++;
        rule.hours.addAll(tally.hours);
      }
    }
    return [...used]
      .map(([id, { flows, hours, edges }]) => ({ id, flows, windows: hours.size, edges }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}

/** One edge for what differs only in the addresses behind a name, as long as the policy answers the same. */
function joinFamilies(tallies: readonly Tally[]): Tally[] {
  const joined = new Map<string, Tally>();
  for (const tally of tallies) {
    const { client, server, protocol, port, isAllowed, rules, reason } = tally;
    const key = JSON.stringify([client, server, protocol, port, isAllowed, rules, reason]);
    const known = joined.get(key);
    if (known === undefined) {
      const hours = new HourSet();
      hours.addAll(tally.hours);
      joined.set(key, { ...tally, hours });
      continue;
    }
    known.flows += tally.flows;
    known.attempts += tally.attempts;
    known.firstSeenUs = Math.min(known.firstSeenUs, tally.firstSeenUs);
    known.lastSeenUs = Math.max(known.lastSeenUs, tally.lastSeenUs);
    known.hours.addAll(tally.hours);
  }
  return [...joined.values()];
}
