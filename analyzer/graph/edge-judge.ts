import { parseAddress } from "../../model/address.js";
import type { ConversationWindow, EndIdentity } from "../../model/conversation.js";
import type { EdgeState } from "../../model/graph.js";
import { sharedMembers } from "../../model/identity-index.js";
import { formatProtocol } from "../../model/protocol.js";
import type { Inventory } from "../../model/workload.js";
import type { CompiledPolicy } from "../../policy/decision/compiled-policy.js";
import { servicePoint } from "../../policy/decision/service-line.js";
import { compilePolicy } from "../../policy/verdict.js";
import type { Exclusion, Proposal } from "../proposal.js";

/** What the proposal says of one conversation, and why. */
export interface Judgement {
  readonly state: EdgeState;
  readonly reason: string; // one sentence
  readonly rules: readonly string[]; // sorted; only for `allowed`
}

const STATES: Readonly<Record<Exclusion["kind"], EdgeState>> = {
  unanswered: "excluded",
  refused: "excluded",
  scan: "excluded",
  housekeeping: "excluded",
  quarantine: "quarantined",
  direction: "undecided",
  midstream: "undecided",
};

/** An exclusion that lists this many ports has more than it lists. */
const LISTED_PORTS = 20;

interface End {
  readonly isGoverned: boolean; // a workload, or several behind a shared address
  readonly points: readonly number[]; // in the compiled policy; several for a shared address, all of which must be permitted
  readonly label: string; // as exclusions name it
}

/** Asks the proposal about conversations: first its rules, by the engine that also replays and proves them, then its exclusions. */
export class EdgeJudge {
  private readonly policy: CompiledPolicy;
  private readonly workloads: ReadonlySet<string>;
  private readonly exclusions = new Map<string, Exclusion[]>();
  private readonly ends = new Map<string, End>();
  private readonly decisions = new Map<string, Judgement | undefined>();

  constructor(
    private readonly inventory: Inventory,
    private readonly proposal: Proposal,
  ) {
    this.workloads = new Set(inventory.workloads.map(({ id }) => id));
    this.policy = compilePolicy(proposal.policySet, inventory);
    for (const exclusion of proposal.exclusions) {
      const key = `${exclusion.client} ${exclusion.server} ${exclusion.protocol}`;
      const known = this.exclusions.get(key);
      if (known === undefined) this.exclusions.set(key, [exclusion]);
      else known.push(exclusion);
    }
  }

  judge(window: ConversationWindow): Judgement {
    const client = this.endOf(window.clientIdentity, window.client);
    const server = this.endOf(window.serverIdentity, window.server);
    // Where no workload takes part, no policy governs.
    if (client.isGoverned || server.isGoverned) {
      const permitted = this.permitted(client, server, window.protocol, window.serverPort);
      if (permitted !== undefined) return permitted;
    }
    const excluded = this.excluded(client, server, window) ?? this.excluded(server, client, window);
    if (excluded !== undefined) return excluded;
    const { answered, refused, unanswered, midstream } = window.flows;
    if (answered + midstream === 0 && refused + unanswered > 0) {
      return { state: "excluded", reason: "Nothing came back but refusals, if anything.", rules: [] };
    }
    if (window.clientIdentity.kind === "group" && window.serverIdentity.kind === "group") {
      return { state: "undecided", reason: "No workload of the inventory takes part.", rules: [] };
    }
    const reason =
      this.proposal.state === "not-enough-data"
        ? `There is not enough data: ${this.proposal.stateReason}`
        : "No proposed rule covers it.";
    return { state: "undecided", reason, rules: [] };
  }

  private endOf(identity: EndIdentity, address: string): End {
    const family = address.includes(":") ? 6 : 4;
    const key = identity.kind === "workload" ? `${identity.id} ${family}` : `${identity.name} ${address}`;
    const known = this.ends.get(key);
    if (known !== undefined) return known;
    const members = identity.kind === "group" ? sharedMembers(this.inventory, identity.name) : [identity.id];
    const isKnown = (id: string) => this.workloads.has(id);
    const end: End = {
      isGoverned: members !== undefined,
      label: identity.kind === "workload" ? identity.id : address,
      points:
        members === undefined
          ? [this.policy.pointOfAddress(parseAddress(address))]
          : members.filter(isKnown).map((id) => this.policy.pointOfWorkload(id, family)),
    };
    this.ends.set(key, end);
    return end;
  }

  /** Set when some rule permits it for every member of both ends. */
  private permitted(client: End, server: End, protocol: number, port: number): Judgement | undefined {
    const rules = new Set<string>();
    let isPermitted = client.points.length > 0 && server.points.length > 0;
    for (const from of client.points) {
      for (const to of server.points) {
        const decision = this.decide(from, to, protocol, port);
        if (decision === undefined) isPermitted = false;
        else for (const rule of decision.rules) rules.add(rule);
      }
    }
    if (!isPermitted) return undefined;
    if (rules.size === 0) return { state: "allowed", reason: "A workload may always speak to itself.", rules: [] };
    const sorted = [...rules].sort();
    const names = sorted.slice(0, 3).join(", ");
    const more = sorted.length > 3 ? ` and ${sorted.length - 3} more` : "";
    const word = sorted.length === 1 ? "Rule" : "Rules";
    return {
      state: "allowed",
      reason: `${word} ${names}${more} ${sorted.length === 1 ? "permits" : "permit"} it.`,
      rules: sorted,
    };
  }

  private decide(from: number, to: number, protocol: number, port: number): { rules: readonly string[] } | undefined {
    const key = `${from} ${to} ${protocol} ${port}`;
    if (this.decisions.has(key)) return this.decisions.get(key);
    const found = this.explain(from, to, protocol, port);
    this.decisions.set(key, found);
    return found;
  }

  private explain(from: number, to: number, protocol: number, port: number): Judgement | undefined {
    if (this.policy.isSelfTraffic(from, to)) return { state: "allowed", reason: "", rules: [] };
    const decision = this.policy.explain(from, to, servicePoint(protocol, port));
    // A workload that nothing isolates lets everything pass; that is no rule's doing.
    if (decision.verdict !== "allowed" || decision.rules.length === 0) return undefined;
    return { state: "allowed", reason: "", rules: decision.rules };
  }

  private excluded(client: End, server: End, window: ConversationWindow): Judgement | undefined {
    const protocol = formatProtocol(window.protocol);
    for (const to of [server.label, "many"]) {
      for (const { kind, ports, reason } of this.exclusions.get(`${client.label} ${to} ${protocol}`) ?? []) {
        if (ports.includes(window.serverPort) || ports.length >= LISTED_PORTS) {
          return { state: STATES[kind], reason, rules: [] };
        }
      }
    }
    return undefined;
  }
}

/** One judgement for an edge of several conversations: what asks for a decision stands out, and noise hides nothing. */
const PRECEDENCE: readonly EdgeState[] = ["quarantined", "undecided", "allowed", "excluded"];

export function joinJudgements(judgements: ReadonlyMap<string, Judgement>): Judgement {
  const all = [...judgements.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, judgement]) => judgement);
  const state = PRECEDENCE.find((candidate) => all.some((judgement) => judgement.state === candidate)) ?? "undecided";
  const of = all.filter((judgement) => judgement.state === state);
  const rules = [...new Set(all.flatMap((judgement) => judgement.rules))].sort();
  const reasons = [...new Set(of.map(({ reason }) => reason))].sort();
  const [first = ""] = reasons;
  const share = of.length < all.length ? `${of.length} of ${all.length} conversations: ` : "";
  const more = reasons.length > 1 ? ` (and ${reasons.length - 1} more reason${reasons.length === 2 ? "" : "s"})` : "";
  return { state, reason: `${share}${first}${more}`, rules };
}

/** What tells conversations of one edge apart as far as judgement goes: the ends, and the address family they use. */
export function conversationOf(window: ConversationWindow): string {
  const from = window.clientIdentity.kind === "workload" ? window.clientIdentity.id : window.client;
  const to = window.serverIdentity.kind === "workload" ? window.serverIdentity.id : window.server;
  return `${from} ${to} ${window.server.includes(":") ? 6 : 4}`;
}
