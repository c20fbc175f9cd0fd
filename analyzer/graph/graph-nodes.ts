import { compareAddresses, parseAddress } from "../../model/address.js";
import type { EndIdentity } from "../../model/conversation.js";
import type { GraphLevel, GraphNode } from "../../model/graph.js";
import { identityKey, sharedGroupName } from "../../model/identity-index.js";
import type { Labels } from "../../model/label-selector.js";
import type { Inventory, Workload } from "../../model/workload.js";
import { labelRoles } from "../discovery/label-roles.js";

/** Members a node lists by name; `memberCount` tells of all. */
const MAX_MEMBERS = 200;

type NodeDraft = Omit<GraphNode, "members" | "memberCount" | "labels">;

function sharedLabels(workloads: readonly Workload[]): Labels {
  const [first, ...others] = workloads;
  const common = Object.entries(first?.labels ?? {}).filter(([key, value]) =>
    others.every(({ labels }) => Object.hasOwn(labels, key) && labels[key] === value),
  );
  return Object.fromEntries(common.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Which node an end of a conversation belongs to at one level. Workloads gather by what their labels say they are
 * ("app:shop/web-frontend"), or by namespace; a shared address gathers like its members as far as they agree. Addresses
 * without a workload stay in their group at every level.
 */
export class GraphNodes {
  private readonly drafts = new Map<string, NodeDraft>();
  private readonly workloadNode = new Map<string, string>(); // workload id -> node id
  private readonly workloadsOf = new Map<string, Workload[]>();
  private readonly sharedNode = new Map<string, string>(); // group name -> node id
  private readonly nodeOf = new Map<EndIdentity, string>();
  private readonly addresses = new Map<string, Set<string>>(); // group node -> addresses seen

  constructor(inventory: Inventory, level: GraphLevel) {
    const appOf = new Map<string, string>();
    if (level === "app") {
      for (const { name, members } of labelRoles(inventory.workloads)) for (const id of members) appOf.set(id, name);
    }
    for (const workload of inventory.workloads) {
      const draft = draftOf(workload, level, appOf.get(workload.id));
      this.drafts.set(draft.id, draft);
      this.workloadNode.set(workload.id, draft.id);
      const together = this.workloadsOf.get(draft.id);
      if (together === undefined) this.workloadsOf.set(draft.id, [workload]);
      else together.push(workload);
    }
    for (const shared of inventory.shared) {
      const nodes = new Set(shared.members.map((id) => this.workloadNode.get(id)));
      const [only] = nodes;
      if (level !== "workload" && nodes.size === 1 && only !== undefined) {
        this.sharedNode.set(sharedGroupName(shared), only);
      }
    }
  }

  /** The node of an end, remembered as one that was seen. Identities are compared as objects first, for speed. */
  seen(identity: EndIdentity, address: string): string {
    let node = this.nodeOf.get(identity);
    if (node === undefined) {
      node = this.idOf(identity);
      this.nodeOf.set(identity, node);
      if (!this.workloadsOf.has(node) && !this.addresses.has(node)) this.addresses.set(node, new Set());
    }
    this.addresses.get(node)?.add(address);
    return node;
  }

  private idOf(identity: EndIdentity): string {
    if (identity.kind === "workload") return this.workloadNode.get(identity.id) ?? identityKey(identity);
    return this.sharedNode.get(identity.name) ?? identityKey(identity);
  }

  /** Every node that was seen, sorted by id. */
  list(): GraphNode[] {
    return [...new Set(this.nodeOf.values())].sort().map((id) => this.node(id));
  }

  private node(id: string): GraphNode {
    const workloads = this.workloadsOf.get(id);
    if (workloads !== undefined) {
      const members = workloads.map((workload) => workload.id).sort();
      const draft = this.drafts.get(id) as NodeDraft;
      const labels = sharedLabels(workloads);
      return { ...draft, labels, members: members.slice(0, MAX_MEMBERS), memberCount: members.length };
    }
    const addresses = [...(this.addresses.get(id) ?? [])].map((text) => [parseAddress(text), text] as const);
    const members = addresses.sort(([a], [b]) => compareAddresses(a, b)).map(([, text]) => text);
    const isGroup = id.startsWith("group:");
    return {
      id,
      kind: isGroup ? "group" : "workload",
      label: id.slice(id.indexOf(":") + 1),
      labels: {},
      members: members.slice(0, MAX_MEMBERS),
      memberCount: members.length,
    };
  }
}

function draftOf(workload: Workload, level: GraphLevel, app: string | undefined): NodeDraft {
  const { namespace } = workload;
  switch (level) {
    case "workload":
      return { id: `workload:${workload.id}`, kind: "workload", label: workload.name, namespace };
    case "app": {
      const name = app ?? `${namespace}/${workload.name}`;
      return { id: `app:${name}`, kind: "app", label: name.slice(name.indexOf("/") + 1), namespace };
    }
    case "namespace":
      return { id: `namespace:${namespace}`, kind: "namespace", label: namespace, namespace };
  }
}
