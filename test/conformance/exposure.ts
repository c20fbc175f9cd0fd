import type { ManifestFile } from "../../policy/formats/manifest/manifest-objects.js";
import { parsePorts, portsBetween } from "./connectivity.js";
import type { Town } from "./town.js";

/** A pod that is not there, of which a list says what it could reach or be reached by. */
interface StrangerLine {
  readonly workload: string;
  readonly direction: "ingress" | "egress";
  readonly ports: string;
  readonly namespace: string;
  readonly pod: string;
}

interface UnprotectedLine {
  readonly workload: string;
  readonly direction: "ingress" | "egress";
}

export interface Exposure {
  readonly strangers: readonly StrangerLine[];
  readonly unprotected: readonly UnprotectedLine[];
  readonly manifests: ManifestFile; // the pods that are not there
}

/** Labels with which a pod or namespace meets `{a=b,{Key:c,Operator:In,Values:[d e],}}`. */
function labelsFor(query: string): Record<string, string> {
  const labels: Record<string, string> = {};
  const rest = query.replaceAll(/\{Key:([^,]+),Operator:(\w+),Values:\[([^\]]*)\],\}/g, (_, key, operator, values) => {
    if (operator === "In") labels[key] = values.split(" ")[0];
    if (operator === "Exists") labels[key] = "anything";
    return "";
  });
  for (const pair of rest.split(",")) {
    const [key, value] = pair.split("=");
    if (key !== undefined && value !== undefined && key !== "") labels[key] = value;
  }
  return labels;
}

/** What the second part of a list says of a workload and pods to come; named ports are left to who serves them. */
export function parseExposure(text: string): Exposure {
  const objects: object[] = [];
  const strangers: StrangerLine[] = [];
  const unprotected: UnprotectedLine[] = [];
  for (const line of (text.split("Exposure Analysis Result:")[1] ?? "").split("\n")) {
    const open = /^(\S+)\[\w+\] is not protected on (Egress|Ingress)$/.exec(line);
    if (open !== null) {
      unprotected.push({ workload: open[1]!, direction: open[2] === "Egress" ? "egress" : "ingress" });
      continue;
    }
    const match = /^(\S+)\[\w+\]\s+(=>|<=)\s+(.+) : (.+)$/.exec(line);
    if (match === null) continue;
    const [, workload, arrow, peer, connections] = match as unknown as string[];
    const inside = peer === "entire-cluster" ? ["", "", "[all pods]"] : /^(\[[^[]*\]|[-\w]+)\/(\[.*\])$/.exec(peer!);
    if (inside === null) continue;
    const [, place, pods] = inside as unknown as string[];
    let ports: string;
    try {
      ports = parsePorts(connections!);
    } catch {
      continue;
    }
    const number = strangers.length;
    const isNamed = place !== "" && !place!.startsWith("[");
    const namespace = isNamed ? place! : `stranger-${number}`;
    const ofNamespace = labelsFor(/^\[namespace with \{(.*)\}\]$/.exec(place!)?.[1] ?? "");
    if (ofNamespace["kubernetes.io/metadata.name"] !== undefined) continue; // a namespace by name, whose other labels count
    if (!isNamed)
      objects.push({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels: ofNamespace } });
    const labels = labelsFor(/^\[pod with \{(.*)\}\]$/.exec(pods!)?.[1] ?? "");
    const metadata = { namespace, name: `stranger-${number}`, labels };
    objects.push({ apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [] } });
    strangers.push({
      ...{ workload: workload!, direction: arrow === "=>" ? "egress" : "ingress", ports },
      ...{ namespace, pod: metadata.name },
    });
  }
  const texts = objects.map((object) => JSON.stringify(object));
  return { strangers, unprotected, manifests: { path: "strangers.json", text: texts.join("\n---\n") } };
}

const portsIn = (text: string) =>
  new Set(
    text
      .split(" ")
      .flatMap((word, i, words) =>
        /^[A-Z]/.test(word) ? [] : word.split(",").map((range) => `${words[i - 1]} ${range}`),
      ),
  );

/** Lines of a list that do not hold; `town` has the strangers in it. A stranger may be let in by more than its line says. */
export function compareExposure(town: Town, { strangers, unprotected }: Exposure): string[] {
  const faults: string[] = [];
  for (const { workload, direction, ports, namespace, pod } of strangers) {
    const [own, other] = [town.pointOf(workload), town.pointOf(`${namespace}/${pod}`)];
    const [client, server] = direction === "egress" ? [own, other] : [other, own];
    const ours = portsBetween(town.policy, client, server);
    const isWithin =
      ours.startsWith("SCTP 1-65535 TCP 1-65535 UDP") || [...portsIn(ports)].every((part) => portsIn(ours).has(part));
    if (!isWithin) faults.push(`${workload} ${direction} ${pod}: theirs "${ports}", ours "${ours}"`);
  }
  for (const { workload, direction } of unprotected) {
    const list = town.policy[direction].enforced;
    const of = town.policy.sets.classOf(town.pointOf(workload));
    if (list.stages.some((_, stage) => list.closuresOf(stage, of).length > 0)) {
      faults.push(`${workload}: theirs not protected on ${direction}, ours isolated`);
    }
  }
  return faults;
}
