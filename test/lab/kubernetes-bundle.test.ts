import assert from "node:assert/strict";
import test from "node:test";
import { stringify } from "yaml";
import type { Inventory } from "../../model/workload.js";
import { compileProgram } from "../../policy/decision/compiled-policy.js";
import { readKubernetes } from "../../policy/formats/kubernetes/read.js";
import { renderKubernetes } from "../../policy/formats/kubernetes/render.js";
import { chartLab } from "./chart.js";
import { compareWithTruth } from "./judge.js";

/** The company as a cluster would list it; who has left has no address. */
function clusterOf(inventory: Inventory): string {
  const namespaces = inventory.namespaces.map(({ name, labels }) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels },
  }));
  const pods = inventory.workloads.map(({ namespace, name, labels, addresses }) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace, name, labels },
    spec: { containers: [{ name: "main" }] },
    status: {
      podIPs: addresses.filter(({ untilUs }) => untilUs === undefined).map(({ address }) => ({ ip: address })),
    },
  }));
  return [...namespaces, ...pods].map((object) => `---\n${stringify(object)}`).join("");
}

test("the Kubernetes bundle, read back and judged by the specification, agrees with the lab's truth", async (t) => {
  const { inventory, truth, proposal } = await chartLab();
  const bundle = renderKubernetes(proposal.policySet, inventory, { mode: "deny" });
  const manifests = bundle.files.filter(({ path }) => path.includes("/"));
  const { policies, program, cluster } = readKubernetes([
    { path: "cluster.yaml", text: clusterOf(inventory) },
    ...manifests,
  ]);
  const spoken = truth.filter(({ protocol }) => protocol === "tcp" || protocol === "udp");
  const { allowed, refused, wrong } = compareWithTruth(spoken, compileProgram(program, cluster.inventory));
  t.diagnostic(
    `${policies.networkPolicies.length} NetworkPolicies; ${allowed} address pairs allowed, ${refused} refused, ` +
      `${wrong.length} judged wrongly`,
  );
  assert.equal(policies.networkPolicies.length, manifests.length);
  assert.deepEqual(wrong, []);
});

test("what NetworkPolicy cannot say of the lab is ICMP, and the bundle reports it rule by rule", async () => {
  const { inventory, truth, proposal } = await chartLab();
  const { losses } = renderKubernetes(proposal.policySet, inventory, { mode: "deny" });
  const lost = losses.filter(({ kind, packets }) => kind === "dropped" && packets !== undefined);
  const services = lost.flatMap(({ packets = [] }) => packets).flatMap((packet) => packet.services);
  assert.deepEqual([...new Set(services.map(({ kind }) => kind))], ["icmp"]);
  const pinged = truth.filter(({ expect, protocol }) => expect === "allow" && protocol.startsWith("icmp"));
  assert.ok(pinged.length > 0);
  const rules = new Set(lost.map(({ ruleId }) => ruleId));
  for (const { client, server, protocol } of pinged) {
    const rule = proposal.policySet.rules.find(
      ({ services: permitted, evidence }) =>
        permitted.some((service) => service.kind === "icmp" && service.protocol === protocol) &&
        evidence?.clients.includes(client) === true &&
        evidence.servers.includes(server),
    );
    assert.ok(rule !== undefined && rules.has(rule.id), `${client} to ${server} ${protocol}`);
  }
});
