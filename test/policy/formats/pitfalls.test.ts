import assert from "node:assert/strict";
import test from "node:test";
import { parse } from "yaml";
import type { Inventory, Workload } from "../../../model/workload.js";
import type { Bundle, RenderOptions } from "../../../policy/bundle.js";
import { renderCalico } from "../../../policy/formats/calico/render.js";
import { renderCilium } from "../../../policy/formats/cilium/render.js";
import { renderIstio } from "../../../policy/formats/istio/render.js";
import { renderKubernetes } from "../../../policy/formats/kubernetes/render.js";
import { renderNftables } from "../../../policy/formats/nftables/render.js";
import { TARGETS } from "../../../policy/formats/targets.js";
import { matchesNamePattern } from "../../../policy/neutral.js";
import type { Peer } from "../../../policy/peer.js";
import type { PolicySet } from "../../../policy/policy-set.js";
import { cidr, everyPod, inventoryOf, peer, pods, policySet, ports, rule, SHOP, workload } from "../sample-policy.js";

/** One test for each line of docs/pitfalls.md that a renderer handles; the names are the same there. */

const DENY: RenderOptions = { mode: "deny" };
const AUDIT: RenderOptions = { mode: "audit" };

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly annotations?: object };
  readonly spec: Record<string, unknown> & {
    readonly ingress?: Rule[];
    readonly egress?: Rule[];
    readonly rules?: Rule[];
  };
}
type Rule = Record<string, unknown>;

function manifests(bundle: Bundle): Manifest[] {
  return bundle.files.filter((file) => file.path.includes("/")).map((file) => parse(file.text) as Manifest);
}

function the<T>(list: readonly T[]): T {
  assert.equal(list.length, 1);
  return list[0] as T;
}

const anybody: Peer = { kind: "any" };
const web = peer("shop", { app: "web" });
const isolated = (app: string, direction: "ingress" | "egress" = "ingress") =>
  ({ selector: pods("shop", { app }), direction, mode: "deny" }) as const;
const toWeb = (client: Peer, services: Parameters<typeof rule>[3] = [ports("tcp", 80)], more?: Partial<PolicySet>) => ({
  ...policySet([rule("r1", client, web, services)], [isolated("web")]),
  ...more,
});
const conditions = (bundle: Bundle) =>
  bundle.losses.filter((loss) => loss.kind === "conditional").map((loss) => loss.text);

const withAccounts = (workloads: readonly Workload[]): Inventory =>
  inventoryOf(workloads.map((each) => ({ ...each, serviceAccount: each.serviceAccount ?? each.name })));
const MESH = withAccounts([
  workload("shop/web", { app: "web" }, ["10.0.0.10"]),
  workload("shop/api", { app: "api" }, ["10.0.0.20"]),
]);

test("general: an allowed edge is written at both ends", () => {
  const policy = policySet(
    [rule("r1", peer("shop", { app: "web" }), peer("shop", { app: "api" }), [ports("tcp", 8080)])],
    [isolated("api"), isolated("web", "egress")],
  );
  for (const render of [renderKubernetes, renderCilium, renderCalico]) {
    const [api, front] = manifests(render(policy, SHOP.inventory, DENY));
    assert.equal(api?.spec.ingress?.length, 1);
    assert.ok(JSON.stringify(front?.spec.egress).includes("8080"));
  }
});

test("general: replies and ephemeral ports are never rules of their own", () => {
  for (const [name, { render }] of TARGETS) {
    const bundle = render(toWeb(cidr("192.0.2.0/24")), MESH, DENY);
    const text = bundle.files
      .filter((file) => !file.path.endsWith(".md"))
      .map((file) => file.text)
      .join("");
    assert.doesNotMatch(text, /32768|49152|61000|65535/, name);
  }
});

test("general: what happens to open connections is said", () => {
  for (const render of [renderKubernetes, renderCalico, renderNftables]) {
    assert.ok(conditions(render(SHOP.policy, SHOP.inventory, DENY)).some((text) => /open when/.test(text)));
  }
});

test("general: resources are named with their group, short names are not used", () => {
  for (const [name, { render }] of TARGETS) {
    for (const { path, text } of render(SHOP.policy, SHOP.inventory, DENY).files) {
      assert.doesNotMatch(text, /kubectl get (cnp|netpol|snp|ap)\b/, `${name} ${path}`);
    }
  }
});

test("kubernetes: both selectors stand in one peer, which means and", () => {
  const { ingress } = the(manifests(renderKubernetes(toWeb(peer("shop", { app: "api" })), SHOP.inventory, DENY))).spec;
  const from = the(ingress ?? []).from as object[];
  assert.deepEqual(Object.keys(the(from)).sort(), ["namespaceSelector", "podSelector"]);
});

test("kubernetes: a rule for everything has no ports, a deny is an empty list, and neither is a list of nothing", () => {
  const open = the(manifests(renderKubernetes(toWeb(anybody, [{ kind: "any" }]), SHOP.inventory, DENY))).spec;
  assert.deepEqual(open.ingress, [{}]);
  const shut = the(manifests(renderKubernetes(policySet([], [isolated("web")]), SHOP.inventory, DENY))).spec;
  assert.deepEqual(shut.ingress, []);
});

test("kubernetes: the protocol is always written, ports are numbers and endPort is not below port", () => {
  const bundle = renderKubernetes(toWeb(anybody, [ports("udp", 53), ports("tcp", 80, 90)]), SHOP.inventory, DENY);
  assert.deepEqual(the(the(manifests(bundle)).spec.ingress ?? []).ports, [
    { protocol: "TCP", port: 80, endPort: 90 },
    { protocol: "UDP", port: 53 },
  ]);
});

test("kubernetes: namespaces are selected by the label that every namespace has", () => {
  const { ingress } = the(manifests(renderKubernetes(toWeb(peer("shop", { app: "api" })), SHOP.inventory, DENY))).spec;
  const { namespaceSelector } = the(the(ingress ?? []).from as { namespaceSelector: unknown }[]);
  assert.deepEqual(namespaceSelector, { matchLabels: { "kubernetes.io/metadata.name": "shop" } });
});

test("kubernetes: an exception lies inside its block, and the block is alone in its peer", () => {
  const bundle = renderKubernetes(toWeb(cidr("192.0.2.0/24", ["192.0.2.64/26"])), SHOP.inventory, DENY);
  assert.deepEqual(the(the(manifests(bundle)).spec.ingress ?? []).from, [
    { ipBlock: { cidr: "192.0.2.0/24", except: ["192.0.2.64/26"] } },
  ]);
});

test("kubernetes: that plugins differ on ipBlock, node-local traffic and the host network is said", () => {
  const texts = conditions(renderKubernetes(toWeb(cidr("192.0.2.0/24")), SHOP.inventory, DENY)).join("\n");
  for (const wanted of [/ipBlock/, /own node/, /host network/]) assert.match(texts, wanted);
});

test("kubernetes: a mesh's tunnel port and other DNS ports are named in the README", () => {
  const readme = renderKubernetes(SHOP.policy, SHOP.inventory, DENY).files.find((file) => file.path === "README.md");
  assert.match(readme?.text ?? "", /15008/);
  assert.match(readme?.text ?? "", /OpenShift/);
});

test("calico: a staged policy is its enforced twin but for kind and stagedAction", () => {
  const enforced = manifests(renderCalico(SHOP.policy, SHOP.inventory, DENY));
  const staged = manifests(renderCalico(SHOP.policy, SHOP.inventory, AUDIT));
  assert.deepEqual(
    staged.map(({ kind, spec: { stagedAction, ...spec } }) => ({ kind, stagedAction, spec })),
    enforced.map(({ kind, spec }) => ({ kind: `Staged${kind}`, stagedAction: "Set", spec })),
  );
});

test("calico: types are always written, and the name begins with the tier", () => {
  for (const { metadata, spec } of manifests(renderCalico(SHOP.policy, SHOP.inventory, DENY))) {
    assert.ok((spec.types as string[]).length > 0);
    assert.match(metadata.name, /^default\.portolan-[a-z0-9-]+$/);
  }
});

test("calico: every rule says which namespaces it means, by the label that Calico sets", () => {
  const { ingress } = the(manifests(renderCalico(toWeb(peer("shop", { app: "api" })), SHOP.inventory, DENY))).spec;
  assert.deepEqual(the(ingress ?? []).source, {
    namespaceSelector: "projectcalico.org/name == 'shop'",
    selector: "app == 'api'",
  });
});

test("calico: addresses of both families, more than 256 nets and more than 50 ports go into rules of their own", () => {
  const cidrs = Array.from({ length: 300 }, (_, i) => `10.${i >> 8}.${i & 255}.0/25`);
  const group = { name: "many", cidrs: [...cidrs, "2001:db8::/32"] };
  const many = Array.from({ length: 60 }, (_, i) => ports("tcp", 1000 + 2 * i));
  const policy = toWeb({ kind: "group", name: "many" }, many, { groups: [group] });
  const rules = the(manifests(renderCalico(policy, SHOP.inventory, DENY))).spec.ingress ?? [];
  for (const { source, destination } of rules as { source: { nets: string[] }; destination: { ports: unknown[] } }[]) {
    assert.ok(source.nets.length <= 256 && destination.ports.length <= 50);
    assert.equal(new Set(source.nets.map((net) => net.includes(":"))).size, 1);
  }
  assert.equal(rules.length, 6);
});

test("calico: a selector of more than 1024 characters becomes several that mean the same", () => {
  const values = Array.from({ length: 200 }, (_, i) => `version-${String(i).padStart(3, "0")}`);
  const client: Peer = {
    kind: "workloads",
    selector: {
      ...pods("shop", {}),
      labels: { requirements: [{ key: "version", operator: "In", values }] },
    },
  };
  const { ingress } = the(manifests(renderCalico(toWeb(client), SHOP.inventory, DENY))).spec;
  const selectors = (ingress as { source: { selector: string } }[]).map(({ source }) => source.selector);
  assert.ok(selectors.length > 1 && selectors.every((selector) => selector.length <= 1024));
  assert.deepEqual(selectors.flatMap((selector) => selector.match(/version-\d+/g) ?? []).sort(), values);
});

test("calico: a rule for everybody has no selector, because all() means known endpoints only", () => {
  const { ingress } = the(manifests(renderCalico(toWeb(anybody), SHOP.inventory, DENY))).spec;
  assert.equal(the(ingress ?? []).source, undefined);
});

test("calico: a policy of more than 1024 rules becomes several objects", () => {
  const rules = Array.from({ length: 1030 }, (_, i) =>
    rule(`r${String(i).padStart(4, "0")}`, cidr(`10.${i >> 8}.${i & 255}.1/32`), web, [ports("tcp", 80)]),
  );
  const made = manifests(renderCalico(policySet(rules, [isolated("web")]), SHOP.inventory, DENY));
  assert.deepEqual(made.map(({ spec }) => spec.ingress?.length).sort(), [1024, 6]);
});

test("calico: selectors never say or, and a range of ports is a text with a colon", () => {
  const text = renderCalico(SHOP.policy, SHOP.inventory, DENY)
    .files.map((file) => file.text)
    .join("");
  assert.doesNotMatch(text, /\|\|/);
  assert.match(text, /- "8080:8090"/);
});

test("calico, kubernetes, nftables: a DNS name is reported, never widened to addresses", () => {
  const policy = policySet(
    [rule("r1", web, { kind: "fqdn", pattern: "api.example.com" }, [ports("tcp", 443)])],
    [isolated("web", "egress")],
  );
  for (const render of [renderCalico, renderKubernetes, renderNftables]) {
    const bundle = render(policy, SHOP.inventory, DENY);
    assert.ok(bundle.losses.some((loss) => loss.ruleId === "r1" && loss.kind === "dropped"));
  }
});

test("calico: each rule carries its origin in its own metadata", () => {
  const { ingress } = the(manifests(renderCalico(toWeb(anybody), SHOP.inventory, DENY))).spec;
  assert.deepEqual(the(ingress ?? []).metadata, { annotations: { "portolan/rule": "r1" } });
});

test("cilium: a policy without rules is one empty rule, because an empty list isolates nobody", () => {
  const { spec } = the(manifests(renderCilium(policySet([], [isolated("web")]), SHOP.inventory, DENY)));
  assert.deepEqual(spec.ingress, [{}]);
  assert.deepEqual(spec.enableDefaultDeny, { ingress: true, egress: false });
});

test("cilium: kinds of peers that exclude each other stand in rules of their own", () => {
  const policy = toWeb({ kind: "workloads", selector: everyPod });
  const rules = the(manifests(renderCilium(policy, SHOP.inventory, DENY))).spec.ingress ?? [];
  for (const each of rules) assert.equal(Object.keys(each).filter((key) => key.startsWith("from")).length, 1);
  assert.deepEqual(
    rules.flatMap((each) => Object.keys(each)).filter((key) => key !== "toPorts"),
    ["fromEndpoints", "fromCIDRSet"],
  );
});

test("cilium: ports are texts, at most 40 to a list, and ICMP stands apart from them", () => {
  const many = Array.from({ length: 60 }, (_, i) => ports("tcp", 1000 + 2 * i));
  const policy = toWeb(anybody, [...many, { kind: "icmp", protocol: "icmp", type: 8 }]);
  const rules = the(manifests(renderCilium(policy, SHOP.inventory, DENY))).spec.ingress ?? [];
  const lists = rules.flatMap((each) => (each.toPorts as { ports: { port: unknown }[] }[] | undefined) ?? []);
  assert.deepEqual(
    lists.map((list) => list.ports.length),
    [40, 20],
  );
  assert.ok(lists.every((list) => list.ports.every(({ port }) => typeof port === "string")));
  assert.deepEqual(rules.at(-1), {
    fromEntities: ["all"],
    icmps: [{ fields: [{ type: 8, family: "IPv4" }] }],
  });
});

test("cilium: every peer names its namespace, because silence means the policy's own", () => {
  const { ingress } = the(manifests(renderCilium(toWeb({ kind: "workloads", selector: everyPod }), MESH, DENY))).spec;
  assert.deepEqual(the(ingress ?? []).fromEndpoints, [
    { matchExpressions: [{ key: "k8s:io.kubernetes.pod.namespace", operator: "Exists" }] },
  ]);
});

test("cilium: names come with the DNS rule that lets the agent learn them, on the same pods", () => {
  const policy = policySet(
    [rule("r1", web, { kind: "fqdn", pattern: "*.example.com" }, [ports("tcp", 443)])],
    [isolated("web", "egress")],
  );
  const bundle = renderCilium(policy, SHOP.inventory, DENY);
  const egress = the(manifests(bundle)).spec.egress ?? [];
  assert.ok(egress.some((each) => JSON.stringify(each.toFQDNs) === '[{"matchPattern":"*.example.com"}]'));
  assert.ok(egress.some((each) => JSON.stringify(each.toPorts).includes('"dns":[{"matchPattern":"*"}]')));
  assert.ok(conditions(bundle).some((text) => /other names on the same address/.test(text)));
});

test("cilium: a star in a name stays within one label", () => {
  const policy = policySet(
    [rule("r1", web, { kind: "fqdn", pattern: "*.example.com" }, [ports("tcp", 443)])],
    [isolated("web", "egress")],
  );
  const text = renderCilium(policy, SHOP.inventory, DENY)
    .files.map((file) => file.text)
    .join("");
  assert.match(text, /matchPattern: "?\*\.example\.com"?/);
  assert.doesNotMatch(text, /\*\*/);
  assert.equal(matchesNamePattern("*.example.com", "a.example.com"), true);
  assert.equal(matchesNamePattern("*.example.com", "a.b.example.com"), false);
});

test("cilium: labels are asked for with their source", () => {
  const { ingress } = the(manifests(renderCilium(toWeb(peer("shop", { app: "api" })), SHOP.inventory, DENY))).spec;
  const [from] = the(ingress ?? []).fromEndpoints as { matchLabels: object }[];
  assert.ok(Object.keys(from?.matchLabels ?? {}).every((key) => key.startsWith("k8s:")));
});

test("cilium: the README tells how to put a pod into audit mode, and that an agent forgets it", () => {
  const readme = renderCilium(SHOP.policy, SHOP.inventory, DENY).files.find(({ path }) => path === "README.md")!.text;
  assert.match(readme, /endpoint config ENDPOINT_ID PolicyAuditMode=Enabled/);
  assert.match(readme, /An agent that restarts forgets it/);
});

test("cilium: audit files isolate nobody and look into no conversation", () => {
  const policy = policySet(
    [rule("r1", web, { kind: "fqdn", pattern: "api.example.com" }, [ports("tcp", 443)])],
    [isolated("web", "egress")],
  );
  const bundle = renderCilium(policy, SHOP.inventory, AUDIT);
  const { spec } = the(manifests(bundle));
  assert.deepEqual(spec.enableDefaultDeny, { ingress: false, egress: false });
  assert.doesNotMatch(JSON.stringify(spec), /"dns"/);
  assert.deepEqual(bundle.expressed.policySet.isolations, []);
});

test("cilium: a pod inside a CIDR is named by its labels, since CIDRs match no pods", () => {
  const rules = the(manifests(renderCilium(toWeb(cidr("10.0.0.20/32")), MESH, DENY))).spec.ingress ?? [];
  assert.ok(rules.some((each) => JSON.stringify(each.fromEndpoints)?.includes('"k8s:app":"api"')));
});

test("cilium: addresses of a group are merged into the fewest CIDRs", () => {
  const groups = [{ name: "halves", cidrs: ["192.0.2.0/25", "192.0.2.128/25", "192.0.2.7/32"] }];
  const policy = toWeb({ kind: "group", name: "halves" }, undefined, { groups });
  const { ingress } = the(manifests(renderCilium(policy, SHOP.inventory, DENY))).spec;
  assert.deepEqual(the(ingress ?? []).fromCIDRSet, [{ cidr: "192.0.2.0/24" }]);
});

test("istio: no rules denies everything, one empty rule allows everything", () => {
  assert.ok(!("rules" in the(manifests(renderIstio(policySet([], [isolated("web")]), MESH, DENY))).spec));
  const { spec } = the(manifests(renderIstio(toWeb(anybody, [{ kind: "any" }]), MESH, DENY)));
  assert.deepEqual(spec.rules, [{}]);
});

test("istio: clients are service accounts, at most 16 to a source, and ports are texts", () => {
  const clients = Array.from({ length: 20 }, (_, i) => workload(`shop/c${i}`, { app: "client" }, [`10.0.1.${i + 1}`]));
  const inventory = withAccounts([workload("shop/web", { app: "web" }, ["10.0.0.10"]), ...clients]);
  const { spec } = the(manifests(renderIstio(toWeb(peer("shop", { app: "client" })), inventory, DENY)));
  const { from, to } = the(spec.rules ?? []) as { from: { source: { serviceAccounts: string[] } }[]; to: unknown };
  assert.deepEqual(
    from.map(({ source }) => source.serviceAccounts.length),
    [16, 4],
  );
  assert.deepEqual(to, [{ operation: { ports: ["80"] } }]);
});

test("istio: accounts are named in full, never by pattern and never beside principals or namespaces", () => {
  const { rules } = the(manifests(renderIstio(toWeb(peer("shop", { app: "api" })), MESH, DENY))).spec;
  const { source } = the(the(rules ?? []).from as { source: object }[]);
  assert.deepEqual(source, { serviceAccounts: ["shop/api"] });
});

test("istio: a service account that others share is refused, and said", () => {
  const inventory = withAccounts([
    workload("shop/web", { app: "web" }, ["10.0.0.10"]),
    { ...workload("shop/api", { app: "api" }, ["10.0.0.20"]), serviceAccount: "common" },
    { ...workload("shop/job", { app: "job" }, ["10.0.0.30"]), serviceAccount: "common" },
  ]);
  const bundle = renderIstio(toWeb(peer("shop", { app: "api" })), inventory, DENY);
  const refused = bundle.losses.find((loss) => loss.ruleId === "r1" && loss.isRefused === true);
  assert.match(refused?.text ?? "", /shop\/job/);
  assert.ok(!("rules" in the(manifests(bundle)).spec));
});

test("istio: negated fields are never written, and STRICT mTLS is named as a condition", () => {
  const bundle = renderIstio(toWeb(cidr("192.0.2.0/24", ["192.0.2.64/26"])), MESH, DENY);
  assert.doesNotMatch(bundle.files.map((file) => file.text).join(""), /\bnot[A-Z]\w+:/);
  assert.ok(conditions(bundle).some((text) => /STRICT/.test(text)));
});

test("istio: nothing is written into the root namespace, where it would be for the whole mesh", () => {
  const inventory = withAccounts([workload("istio-system/gateway", { app: "gateway" }, ["10.0.0.10"])]);
  const gateway = { selector: pods("istio-system", { app: "gateway" }), direction: "ingress", mode: "deny" } as const;
  const bundle = renderIstio(policySet([], [gateway]), inventory, DENY);
  assert.deepEqual(manifests(bundle), []);
  assert.deepEqual(bundle.expressed.unenforced, [{ workload: "istio-system/gateway", direction: "ingress" }]);
});

test("istio: egress and what is not TCP are reported as open", () => {
  const policy = policySet([], [isolated("web"), isolated("web", "egress")]);
  const { losses, expressed } = renderIstio(policy, MESH, DENY);
  assert.ok(losses.some((loss) => /no egress policy/.test(loss.text)));
  assert.ok(losses.some((loss) => loss.kind === "widened" && /UDP, SCTP, ICMP/.test(loss.text)));
  assert.deepEqual(expressed.unenforced, [{ workload: "shop/web", direction: "egress" }]);
});

test("istio: audit is an annotation, and nothing looks at the request", () => {
  const made = the(manifests(renderIstio(toWeb(anybody), MESH, AUDIT)));
  assert.equal((made.metadata.annotations as Record<string, string>)["istio.io/dry-run"], "true");
  assert.doesNotMatch(JSON.stringify(made.spec), /methods|paths|hosts/);
});

test("nftables: the file touches its own table alone, in one transaction", () => {
  const { files } = renderNftables(SHOP.policy, SHOP.inventory, DENY);
  for (const { path, text } of files.filter((file) => file.path.endsWith(".nft"))) {
    assert.doesNotMatch(text, /flush ruleset|delete table/, path);
    for (const line of text.split("\n").filter((each) => /^(add|flush|table)\b/.test(each))) {
      assert.match(line, /^(add|flush|table) .*\binet portolan\b/);
    }
  }
});

test("nftables: established traffic is accepted first, and sets of both families stay apart", () => {
  const text = renderNftables(SHOP.policy, SHOP.inventory, DENY).files.find(
    (file) => file.path === "shop-api.nft",
  )?.text;
  // Only what `cut` ends stands before, and only while somebody cuts.
  assert.match(
    text ?? "",
    /policy accept;\n {4}ct label \d+ meta nfproto @cut jump cut_in\n {4}ct state established,related accept\n {4}jump lifeline/,
  );
  assert.match(text ?? "", /set in4_ports_shop_g3/);
  assert.match(text ?? "", /set in6_ports_shop_g3/);
});

test("nftables: a file empties what an earlier one left, because flushing a table keeps the elements of its sets", () => {
  const text = renderNftables(SHOP.policy, SHOP.inventory, DENY).files.find(({ path }) => path.endsWith(".nft"))!.text;
  const sets = [...text.matchAll(/^add set (inet portolan \w+)/gm)].map((match) => match[1]);
  assert.ok(sets.length > 0);
  for (const name of sets) assert.ok(text.includes(`\nflush set ${name}\n`), name);
  assert.doesNotMatch(text, /flush table|flush ruleset/);
});

test("nftables: log prefixes stay short, whatever rules are called", () => {
  const text = renderNftables(SHOP.policy, SHOP.inventory, DENY)
    .files.map((file) => file.text)
    .join("");
  for (const [, prefix] of text.matchAll(/log prefix "([^"]*)"/g)) assert.ok((prefix ?? "").length <= 64);
});

test("nftables: that other tables have their own say is told", () => {
  assert.ok(conditions(renderNftables(SHOP.policy, SHOP.inventory, DENY)).some((text) => /Another table/.test(text)));
});
