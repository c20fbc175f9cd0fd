import assert from "node:assert/strict";
import test from "node:test";
import { parseAllDocuments } from "yaml";
import { renderKubernetes } from "../../../../policy/formats/kubernetes/render.js";
import { cidr, inventoryOf, peer, pods, policySet, ports, rule, SHOP, workload } from "../../sample-policy.js";

function fileOf(bundle: ReturnType<typeof renderKubernetes>, path: string): string {
  const file = bundle.files.find((candidate) => candidate.path === path);
  assert.ok(file, `no ${path} among ${bundle.files.map((each) => each.path).join(", ")}`);
  return file.text;
}

test("a role gets one policy with the reason beside every rule", () => {
  const bundle = renderKubernetes(SHOP.policy, SHOP.inventory, { mode: "deny" });
  assert.deepEqual(
    bundle.files.map((file) => file.path),
    ["README.md", "kustomization.yaml", "shop/portolan-api.yaml", "shop/portolan-web.yaml"],
  );
  assert.equal(
    fileOf(bundle, "shop/portolan-web.yaml"),
    `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: portolan-web
  namespace: shop
  labels:
    app.kubernetes.io/managed-by: portolan
    portolan/policy-set: shop
  annotations:
    portolan/generation: "3"
    portolan/rules: "r1-web: r1-web was seen"
spec:
  podSelector:
    matchLabels:
      app: web
  policyTypes:
    - Ingress
  ingress:
    # r1-web: r1-web was seen
    - ports:
        - protocol: TCP
          port: 443
`,
  );
});

test("policyTypes is written also where only egress is isolated", () => {
  const only = policySet([], [{ selector: pods("shop", { app: "web" }), direction: "egress", mode: "deny" }]);
  const text = fileOf(renderKubernetes(only, SHOP.inventory, { mode: "deny" }), "shop/portolan-web.yaml");
  assert.match(text, /policyTypes:\n {4}- Egress\n/);
});

test("isolated egress may ask for names over UDP and TCP, at the node's cache and the resolvers too", () => {
  const text = fileOf(renderKubernetes(SHOP.policy, SHOP.inventory, { mode: "deny" }), "shop/portolan-api.yaml");
  for (const wanted of ["k8s-app: kube-dns", '"169.254.20.10/32"', '"10.0.0.53/32"', "protocol: UDP", "port: 53"]) {
    assert.ok(text.includes(wanted), wanted);
  }
});

test("a workload that is no pod is reached by its addresses and reported as not isolated", () => {
  const bundle = renderKubernetes(SHOP.policy, SHOP.inventory, { mode: "deny" });
  assert.match(fileOf(bundle, "shop/portolan-api.yaml"), /ipBlock:\n {12}cidr: "10\.0\.1\.30\/32"/);
  assert.deepEqual(bundle.expressed.unenforced, [{ workload: "data/db", direction: "ingress" }]);
  assert.ok(bundle.losses.some((loss) => loss.kind === "dropped" && loss.text.includes("data/db")));
});

test("ICMP is reported as left out, with the packets it is about", () => {
  const { losses } = renderKubernetes(SHOP.policy, SHOP.inventory, { mode: "deny" });
  const lost = losses.find((loss) => loss.ruleId === "r4-partner");
  assert.equal(lost?.kind, "dropped");
  assert.deepEqual(lost?.packets?.[0]?.services, [{ kind: "icmp", protocol: "icmp", type: 8 }]);
});

test("an empty list of peers is never written, because it means everybody", () => {
  const policy = {
    ...policySet(
      [rule("r1", { kind: "group", name: "nobody" }, peer("shop", { app: "web" }), [ports("tcp", 80)])],
      [{ selector: pods("shop", { app: "web" }), direction: "ingress", mode: "deny" as const }],
    ),
    groups: [{ name: "nobody", cidrs: [] }],
  };
  const text = fileOf(renderKubernetes(policy, SHOP.inventory, { mode: "deny" }), "shop/portolan-web.yaml");
  assert.match(text, /ingress: \[\]\n$/);
});

test("a service account that labels do not tell apart is refused, and written once the widening is accepted", () => {
  const inventory = inventoryOf([
    { ...workload("a/one", { app: "x" }, ["10.0.0.1"]), serviceAccount: "one" },
    { ...workload("a/two", { app: "x" }, ["10.0.0.2"]), serviceAccount: "two" },
    workload("a/db", { app: "db" }, ["10.0.0.3"]),
  ]);
  const client = { kind: "workloads" as const, selector: { ...pods("a", { app: "x" }), serviceAccounts: ["a/one"] } };
  const policy = policySet(
    [rule("r1", client, peer("a", { app: "db" }), [ports("tcp", 5432)])],
    [{ selector: pods("a", { app: "db" }), direction: "ingress", mode: "deny" }],
  );
  const refused = renderKubernetes(policy, inventory, { mode: "deny" });
  assert.match(fileOf(refused, "a/portolan-db.yaml"), /ingress: \[\]\n$/);
  assert.ok(
    refused.losses.some((loss) => loss.ruleId === "r1" && loss.kind === "dropped" && /^Refused/.test(loss.text)),
  );
  const accepted = renderKubernetes(policy, inventory, { mode: "deny", acceptWidenings: true });
  assert.match(fileOf(accepted, "a/portolan-db.yaml"), /app: x/);
  assert.ok(accepted.losses.some((loss) => loss.ruleId === "r1" && loss.kind === "widened"));
});

test("a rule that names pods by address reaches them by label where labels can, and says where not", () => {
  const inventory = inventoryOf([
    workload("a/one", { app: "x", n: "1" }, ["10.0.0.1"]),
    workload("a/two", { app: "x", n: "2" }, ["10.0.1.1"]),
    workload("a/three", { app: "x", n: "2" }, ["10.0.0.2"]),
  ]);
  const policy = policySet(
    [rule("r1", { kind: "any" }, cidr("10.0.0.0/24"), [ports("tcp", 80)])],
    [{ selector: pods("a", { app: "x" }), direction: "ingress", mode: "deny" }],
  );
  const bundle = renderKubernetes(policy, inventory, { mode: "deny" });
  assert.ok(bundle.files.some((file) => file.path === "a/portolan-x-1.yaml"));
  const lost = bundle.losses.find((loss) => loss.ruleId === "r1" && loss.kind === "dropped");
  assert.match(lost?.text ?? "", /a\/three/);
});

test("hostile text stays inside its scalar and its comment for every YAML reader", () => {
  const hostile = 'x"\n- evil: true\u2028- ls: 1\u0085- nel: 1\r- cr: 1 # `$(id)`';
  const policy = policySet(
    [
      {
        ...rule("r1", { kind: "any" }, peer("shop", { app: "web" }), [ports("tcp", 80)]),
        reason: hostile,
        widenings: [{ kind: "role", text: hostile, cells: 1 }],
      },
    ],
    [{ selector: pods("shop", { app: "web" }), direction: "ingress", mode: "deny" }],
  );
  const bundle = renderKubernetes(policy, SHOP.inventory, { mode: "deny" });
  const text = fileOf(bundle, "shop/portolan-web.yaml");
  assert.doesNotMatch(text, /[\u0085\u2028\r]/);
  for (const version of ["1.1", "1.2"] as const) {
    const documents = parseAllDocuments(text, { version });
    assert.equal(documents.length, 1);
    const value = documents[0]?.toJS() as { spec: { ingress: unknown[] } };
    assert.deepEqual(value.spec.ingress, [{ ports: [{ protocol: "TCP", port: 80 }] }]);
  }
});

test("label values that look like numbers or truth are quoted", () => {
  const inventory = inventoryOf([workload("a/x", { v: "1.0", on: "yes", n: "012" }, ["10.0.0.1"])]);
  const policy = policySet(
    [],
    [{ selector: pods("a", { v: "1.0", on: "yes", n: "012" }), direction: "ingress", mode: "deny" }],
  );
  const bundle = renderKubernetes(policy, inventory, { mode: "deny" });
  const text = bundle.files.find((file) => file.path.startsWith("a/"))?.text ?? "";
  const value = parseAllDocuments(text, { version: "1.1" })[0]?.toJS() as { spec: { podSelector: unknown } };
  assert.deepEqual(value.spec.podSelector, { matchLabels: { n: "012", on: "yes", v: "1.0" } });
});

test("equal input gives equal bytes in whatever order it comes", () => {
  const reversed = {
    ...SHOP.policy,
    rules: [...SHOP.policy.rules].reverse(),
    isolations: [...SHOP.policy.isolations].reverse(),
  };
  assert.deepEqual(
    renderKubernetes(reversed, SHOP.inventory, { mode: "deny" }).files,
    renderKubernetes(SHOP.policy, SHOP.inventory, { mode: "deny" }).files,
  );
});
