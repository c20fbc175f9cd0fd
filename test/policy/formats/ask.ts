import { compileProgram } from "../../../policy/decision/compiled-policy.js";
import type { QueryEnd } from "../../../policy/decision/question.js";
import type { PlaneReader } from "../../../policy/formats/plane.js";

function endOf(text: string): QueryEnd {
  return /^[0-9.]+$/.test(text) || text.includes(":")
    ? { kind: "address", address: text }
    : { kind: "workload", id: text };
}

const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, sctp: 132, icmp: 1, icmpv6: 58 };

/** Asks "client server protocol port" of manifests and gives the verdict. */
export function ask(read: PlaneReader, manifests: string, question: string): string {
  const [client = "", server = "", protocol = "", port = "0"] = question.split(" ");
  const { program, cluster } = read([{ path: "all.yaml", text: manifests }]);
  return compileProgram(program, cluster.inventory).verdict({
    client: endOf(client),
    server: endOf(server),
    protocol: PROTOCOLS[protocol] ?? Number(protocol),
    port: Number(port),
  }).verdict;
}

/**
 * Two namespaces: `shop` (team a) with `web` at 10.0.0.1, which serves http on 8080, and `db`, which serves http on 5432
 * and runs as `data`; `ops` (team b) with `probe`.
 */
export const TOWN = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { team: a } }
---
apiVersion: v1
kind: Namespace
metadata: { name: ops, labels: { team: b } }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: data, namespace: shop, labels: { trust: high } }
---
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop, labels: { app: web } }
spec: { containers: [{ name: main, ports: [{ name: http, containerPort: 8080 }] }] }
status: { podIP: 10.0.0.1 }
---
apiVersion: v1
kind: Pod
metadata: { name: db, namespace: shop, labels: { app: db, tier: back } }
spec: { serviceAccountName: data, containers: [{ name: main, ports: [{ name: http, containerPort: 5432 }] }] }
---
apiVersion: v1
kind: Pod
metadata: { name: probe, namespace: ops, labels: { app: probe } }
spec: { containers: [{ name: main }] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop, labels: { front: "yes" } }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: http }] }
---
`;
