import { tryParseAddress } from "../../model/address.js";
import { cidrContains, parseCidr } from "../../model/cidr.js";
import type { Inventory } from "../../model/workload.js";
import { classOfAddress } from "./address-class.js";
import type { History } from "./history.js";
import type { DiscoveryOptions } from "./options.js";

const TCP = 6;

/** Ports through which one takes over a host or a cluster: a single sighting is not a reason to allow them for good. */
const ADMIN_PORTS: ReadonlyMap<number, string> = new Map([
  [22, "SSH"],
  [23, "Telnet"],
  [135, "Windows RPC"],
  [139, "NetBIOS session"],
  [445, "SMB"],
  [2375, "Docker API"],
  [2376, "Docker API"],
  [2379, "etcd"],
  [2380, "etcd peers"],
  [3389, "Remote Desktop"],
  [5900, "VNC"],
  [5985, "WinRM"],
  [5986, "WinRM"],
  [6443, "Kubernetes API"],
  [10250, "kubelet"],
  [10255, "kubelet"],
  [10257, "kube-controller-manager"],
  [10259, "kube-scheduler"],
]);

function isDeclaredManagement(history: History, inventory: Inventory): boolean {
  if (history.port !== 22) return false;
  const prefixes = inventory.lifelines.management.map(parseCidr);
  return history.keys.every((key) => {
    const address = tryParseAddress(key.client);
    return address !== undefined && prefixes.some((prefix) => cidrContains(prefix, address));
  });
}

/** Whether the client is an address of the Internet with no workload behind it. */
function isStranger({ client }: History): boolean {
  return client.kind === "address" && classOfAddress(client.address) === "global";
}

/**
 * Why a person must look at this conversation before it may become a rule, or `undefined`. It passes if it recurs, if
 * another client of its role does the same, or if the inventory declares the client as management. A stranger's does not
 * pass by being repeated: who tries passwords comes back too, and brings company.
 * @param siblings how many clients of one role use the service of that server, this one included
 */
export function quarantineReason(
  history: History,
  siblings: (history: History) => number,
  inventory: Inventory,
  options: DiscoveryOptions,
): string | undefined {
  const service = history.protocol === TCP ? ADMIN_PORTS.get(history.port) : undefined;
  if (service === undefined) return undefined;
  if (isDeclaredManagement(history, inventory)) return undefined;
  const windows = history.answeredUnits.length;
  if (isStranger(history)) {
    return (
      `${service} (tcp/${history.port}) administers the server, and was used in ${windows} window${windows === 1 ? "" : "s"} by an address ` +
      "of the Internet that the inventory does not declare as management"
    );
  }
  if (windows >= options.recurringWindows || siblings(history) >= 2) return undefined;
  return (
    `${service} (tcp/${history.port}) administers the server, and was used by one client of its kind only, ` +
    `in ${windows} of the ${options.recurringWindows} windows that would make it a habit`
  );
}
