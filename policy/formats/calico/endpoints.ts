import type { Labels } from "../../../model/label-selector.js";
import { namespaceLabels } from "../../../model/workload.js";
import { allOf, type EndSet } from "../../decision/end-set.js";
import type { Cluster } from "../kubernetes/cluster.js";
import type { CalicoPolicy, EntityRule, NetworkSet } from "./calico-policy.js";
import { type Labelled, matchesSelector, type SelectorExpression } from "./selector-expression.js";

/** What selectors look at: an endpoint or a network set, with the labels it inherits from its namespace and account. */
interface Selectable {
  readonly own: Labelled;
  readonly namespace: Labelled;
  readonly account: Labelled;
  readonly name: string; // of the service account
  readonly workload: string | undefined;
  readonly nets: readonly string[];
}

/** Endpoints and network sets of a cluster, ready to be selected as Calico does. */
export class Endpoints {
  readonly #things: readonly Selectable[];

  constructor(
    readonly cluster: Cluster,
    networkSets: readonly NetworkSet[],
    accountLabels: ReadonlyMap<string, Labels>, // by "namespace/name"
    hosts: ReadonlySet<string>, // workloads that are host endpoints
  ) {
    const { inventory } = cluster;
    const ofNamespace = new Map<string, Labels>();
    const surrounding = (namespace: string | undefined): Labels => {
      if (namespace === undefined) return {};
      let labels = ofNamespace.get(namespace);
      if (labels === undefined) {
        labels = { ...namespaceLabels(inventory, namespace), "projectcalico.org/name": namespace };
        ofNamespace.set(namespace, labels);
      }
      return labels;
    };
    const things: Selectable[] = inventory.workloads.map((workload) => {
      const namespace = hosts.has(workload.id) ? undefined : workload.namespace;
      const isGlobal = namespace === undefined;
      const account = workload.serviceAccount ?? "";
      const implied: Labels = isGlobal
        ? {}
        : {
            "projectcalico.org/namespace": namespace,
            "projectcalico.org/orchestrator": "k8s",
            "projectcalico.org/serviceaccount": account,
          };
      const ofAccount = { ...accountLabels.get(`${namespace}/${account}`), "projectcalico.org/name": account };
      return {
        own: { labels: { ...workload.labels, ...implied }, isGlobal },
        namespace: { labels: surrounding(namespace), isGlobal },
        account: { labels: isGlobal ? {} : ofAccount, isGlobal },
        name: account,
        workload: workload.id,
        nets: [],
      };
    });
    for (const { namespace, labels, nets } of networkSets) {
      const isGlobal = namespace === undefined;
      const implied: Labels = isGlobal ? {} : { "projectcalico.org/namespace": namespace };
      things.push({
        own: { labels: { ...labels, ...implied }, isGlobal },
        namespace: { labels: surrounding(namespace), isGlobal },
        account: { labels: {}, isGlobal },
        name: "",
        workload: undefined,
        nets,
      });
    }
    this.#things = things;
  }

  #ends(isMember: (thing: Selectable) => boolean): EndSet {
    const members = this.#things.filter(isMember);
    const workloads = members.flatMap(({ workload }) => workload ?? []);
    const cidrs = [...new Set(members.flatMap(({ nets }) => nets))].sort();
    const listed: EndSet = { kind: "listed", workloads };
    return cidrs.length === 0 ? listed : { kind: "or", sets: [listed, { kind: "addresses", cidrs, of: "anyone" }] };
  }

  /** The endpoints that a policy governs; a namespaced one only those of its namespace. */
  governedBy(policy: CalicoPolicy, hosts: ReadonlySet<string>): EndSet {
    return this.#ends((thing) => {
      if (thing.workload === undefined) return false;
      if (policy.isForHostsOnly && !hosts.has(thing.workload)) return false;
      return (
        (policy.namespace === undefined || isIn(thing, policy.namespace)) &&
        matchesSelector(policy.selector, thing.own) &&
        (policy.namespaceSelector === undefined || isOfNamespace(policy.namespaceSelector, thing)) &&
        (policy.serviceAccountSelector === undefined ||
          (!thing.own.isGlobal && matchesSelector(policy.serviceAccountSelector, thing.account)))
      );
    });
  }

  /**
   * The ends that match one side of a rule. Any selector at all, a negated one included, keeps a namespaced policy to its own
   * namespace unless a namespace selector opens it; nets match any packet; without either everybody matches.
   */
  matching(entity: EntityRule, policyNamespace: string | undefined, ipVersion: 4 | 6 | undefined): EndSet {
    const { nets, notNets, selector, notSelector, namespaceSelector, serviceAccounts } = entity;
    const parts: EndSet[] = [];
    const isSelecting =
      selector !== undefined ||
      notSelector !== undefined ||
      namespaceSelector !== undefined ||
      serviceAccounts !== undefined;
    const isBound = namespaceSelector !== undefined || policyNamespace !== undefined;
    if (isSelecting && (isBound || selector !== undefined || serviceAccounts !== undefined)) {
      parts.push(
        this.#ends(
          (thing) =>
            (namespaceSelector !== undefined
              ? isOfNamespace(namespaceSelector, thing)
              : policyNamespace === undefined || isIn(thing, policyNamespace)) &&
            (selector === undefined || matchesSelector(selector, thing.own)) &&
            (serviceAccounts === undefined ||
              (!thing.own.isGlobal &&
                (serviceAccounts.names.length === 0 || serviceAccounts.names.includes(thing.name)) &&
                (serviceAccounts.selector === undefined || matchesSelector(serviceAccounts.selector, thing.account)))),
        ),
      );
    }
    if (notSelector !== undefined) {
      parts.push({ kind: "not", set: this.#ends((thing) => matchesSelector(notSelector, thing.own)) });
    }
    if (nets !== undefined) parts.push({ kind: "addresses", cidrs: nets, of: "anyone" });
    if (notNets.length > 0) parts.push({ kind: "not", set: { kind: "addresses", cidrs: notNets, of: "anyone" } });
    const ipv6: EndSet = { kind: "addresses", cidrs: ["::/0"], of: "anyone" };
    // A pod whose address is not known is taken to speak IPv4.
    if (ipVersion !== undefined) parts.push(ipVersion === 6 ? ipv6 : { kind: "not", set: ipv6 });
    return parts.length === 0 ? { kind: "all" } : allOf(parts);
  }
}

function isIn(thing: Selectable, namespace: string): boolean {
  return thing.own.labels["projectcalico.org/namespace"] === namespace;
}

/** A namespace selector finds what is in a namespace; `global()` finds the rest. */
function isOfNamespace(expression: SelectorExpression, thing: Selectable): boolean {
  if (expression.kind === "all") return !thing.own.isGlobal;
  return matchesSelector(expression, thing.namespace);
}
