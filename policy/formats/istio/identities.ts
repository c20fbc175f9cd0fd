import { EVERYTHING } from "../../../model/label-selector.js";
import type { Workload } from "../../../model/workload.js";
import type { Peer } from "../../peer.js";
import type { Selection } from "../../selection.js";
import { listed } from "../listed.js";
import type { FittedPeer, PodCensus } from "../pod-target.js";

/** `namespace/account` of each pod, sorted, each once. Pods whose account nobody knows are left out. */
export function accountsOf(pods: readonly Workload[]): string[] {
  const accounts = pods.flatMap(({ namespace, serviceAccount }) =>
    serviceAccount === undefined ? [] : [`${namespace}/${serviceAccount}`],
  );
  return [...new Set(accounts)].sort();
}

/**
 * A mesh knows clients by their service accounts, not by labels: exact where the accounts of the pods that are meant
 * belong to no other pod, wider where they are shared, and impossible where they are unknown.
 */
export function fitClient(peer: Peer, { select, workloads, isPod }: Selection & PodCensus): FittedPeer | undefined {
  if (peer.kind !== "workloads") return undefined;
  const meant = select(peer.selector);
  const pods = meant.filter(isPod);
  const unknown = pods.filter(({ serviceAccount }) => serviceAccount === undefined);
  if (unknown.length > 0) {
    const names = listed(unknown.map(({ id }) => id));
    return { kind: "unsayable", text: `the inventory does not tell the service account of ${names}` };
  }
  const accounts = accountsOf(pods);
  const sharing = workloads.filter(
    (workload) =>
      isPod(workload) &&
      !pods.includes(workload) &&
      accountsOf([workload]).some((account) => accounts.includes(account)),
  );
  if (sharing.length === 0) {
    const condition =
      accounts.length === 0
        ? "Nobody in the inventory is meant as a client, so nothing is written for it."
        : `Clients are told by service account: holds while no other pod runs as ${listed(accounts)}.`;
    return { kind: "said", peer, condition };
  }
  const names = listed(sharing.map(({ id }) => id));
  if (pods.length < meant.length) {
    return {
      kind: "unsayable",
      text: `${names} share the service accounts of clients that are partly outside the mesh`,
    };
  }
  return {
    kind: "wider",
    peer: { kind: "workloads", selector: { namespaces: EVERYTHING, labels: EVERYTHING, serviceAccounts: accounts } },
    text: `A mesh knows clients by service account, and ${names} share it with those that are meant`,
  };
}
