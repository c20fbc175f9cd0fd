import assert from "node:assert/strict";
import test from "node:test";
import { compileProgram } from "../../../../policy/decision/compiled-policy.js";
import type { QueryEnd } from "../../../../policy/decision/question.js";
import { readKubernetes } from "../../../../policy/formats/kubernetes/read.js";
import { ManifestErrors } from "../../../../policy/formats/manifest/manifest-error.js";

/** Two namespaces; `shop/web` serves http on 8080 and dns on both protocols, `shop/db` serves http on 5432. */
const CLUSTER = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { team: a } }
---
apiVersion: v1
kind: Namespace
metadata: { name: ops, labels: { team: b } }
---
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop, labels: { app: web } }
spec:
  containers:
    - name: main
      ports: [{ name: http, containerPort: 8080 }, { name: dns, containerPort: 5353, protocol: UDP }]
status: { podIP: 10.0.0.1 }
---
apiVersion: v1
kind: Pod
metadata: { name: db, namespace: shop, labels: { app: db } }
spec: { containers: [{ name: main, ports: [{ name: http, containerPort: 5432 }] }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: probe, namespace: ops }
spec: { replicas: 3, template: { metadata: { labels: { app: probe } }, spec: { containers: [{ name: main }] } } }
---
`;

function policy(spec: string, name = "p", namespace = "shop"): string {
  return `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: ${name}, namespace: ${namespace} }\nspec: ${spec}\n---\n`;
}

function end(text: string): QueryEnd {
  return /^[0-9.]+$/.test(text) || text.includes(":")
    ? { kind: "address", address: text }
    : { kind: "workload", id: text };
}

const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, sctp: 132, icmp: 1 };

/** Asks "client server protocol port" and gives the verdict. */
function ask(manifests: string, question: string): string {
  const [client = "", server = "", protocol = "", port = "0"] = question.split(" ");
  const { program, cluster } = readKubernetes([{ path: "all.yaml", text: CLUSTER + manifests }]);
  const compiled = compileProgram(program, cluster.inventory);
  return compiled.verdict({
    client: end(client),
    server: end(server),
    protocol: PROTOCOLS[protocol] ?? Number(protocol),
    port: Number(port),
  }).verdict;
}

/** Each policy with questions and what is answered; the rules of `networking.k8s.io/v1`, one by one. */
const MEANINGS: readonly {
  readonly name: string;
  readonly manifests: string;
  readonly answers: Record<string, string>;
}[] = [
  {
    name: "nobody is isolated without a policy",
    manifests: "",
    answers: { "ops/probe shop/web tcp 1": "allowed", "192.0.2.1 shop/web icmp 8": "allowed" },
  },
  {
    name: "without policyTypes a policy isolates ingress, and egress only if it has egress rules",
    manifests: policy("{ podSelector: { matchLabels: { app: web } } }"),
    answers: { "ops/probe shop/web tcp 80": "denied", "shop/web ops/probe tcp 80": "allowed" },
  },
  {
    name: "an egress rule without policyTypes isolates both directions",
    manifests: policy("{ podSelector: { matchLabels: { app: web } }, egress: [{}] }"),
    answers: { "ops/probe shop/web tcp 80": "denied", "shop/web ops/probe tcp 80": "allowed" },
  },
  {
    name: "an empty list of egress rules without policyTypes does not isolate egress",
    manifests: policy("{ podSelector: {}, ingress: [{}], egress: [] }"),
    answers: { "shop/web ops/probe tcp 80": "allowed", "ops/probe shop/web tcp 80": "allowed" },
  },
  {
    name: "rules of a direction that policyTypes leaves out mean nothing",
    manifests: policy("{ podSelector: {}, policyTypes: [Egress], ingress: [] }"),
    answers: { "ops/probe shop/web tcp 80": "allowed", "shop/web ops/probe tcp 80": "denied" },
  },
  {
    name: "an empty rule allows everybody everything, also what has no ports",
    manifests: policy("{ podSelector: {}, ingress: [{}] }"),
    answers: { "192.0.2.1 shop/web tcp 80": "allowed", "2001:db8::1 shop/db 47": "allowed" },
  },
  {
    name: "empty lists of peers and ports mean everybody and everything",
    manifests: policy("{ podSelector: {}, ingress: [{ from: [], ports: [] }] }"),
    answers: { "192.0.2.1 shop/web icmp 8": "allowed" },
  },
  {
    name: "a port without protocol is TCP, a protocol without port is all its ports",
    manifests: policy("{ podSelector: {}, ingress: [{ ports: [{ port: 80 }, { protocol: SCTP }] }] }"),
    answers: {
      "ops/probe shop/web tcp 80": "allowed",
      "ops/probe shop/web udp 80": "denied",
      "ops/probe shop/web sctp 9": "allowed",
      "ops/probe shop/web icmp 8": "denied",
    },
  },
  {
    name: "endPort is the last port, included",
    manifests: policy("{ podSelector: {}, ingress: [{ ports: [{ port: 80, endPort: 90 }] }] }"),
    answers: {
      "ops/probe shop/web tcp 79": "denied",
      "ops/probe shop/web tcp 90": "allowed",
      "ops/probe shop/web tcp 91": "denied",
    },
  },
  {
    name: "a named port is the number that the serving pod gives it, at ingress",
    manifests: policy("{ podSelector: {}, ingress: [{ ports: [{ port: http }] }] }"),
    answers: {
      "ops/probe shop/web tcp 8080": "allowed",
      "ops/probe shop/web tcp 5432": "denied",
      "ops/probe shop/db tcp 5432": "allowed",
    },
  },
  {
    name: "a named port is the number that the serving pod gives it, at egress, and no address has names",
    manifests: policy("{ podSelector: {}, egress: [{ ports: [{ port: http }] }], policyTypes: [Egress] }"),
    answers: {
      "shop/db shop/web tcp 8080": "allowed",
      "shop/web shop/db tcp 8080": "denied",
      "shop/web ops/probe tcp 8080": "denied",
      "shop/web 192.0.2.1 tcp 8080": "denied",
    },
  },
  {
    name: "a named port of another protocol does not match",
    manifests: policy("{ podSelector: {}, ingress: [{ ports: [{ port: dns }] }] }"),
    answers: { "ops/probe shop/web udp 5353": "denied", "ops/probe shop/web tcp 5353": "denied" },
  },
  {
    name: "podSelector alone stays in the policy's namespace",
    manifests: policy("{ podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] }"),
    answers: { "shop/db shop/web tcp 80": "allowed", "ops/probe shop/web tcp 80": "denied" },
  },
  {
    name: "both selectors in one item must hold, in two items either suffices",
    manifests:
      policy(
        "{ podSelector: { matchLabels: { app: web } }, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: b } }, podSelector: { matchLabels: { app: web } } }] }] }",
        "both",
      ) +
      policy(
        "{ podSelector: { matchLabels: { app: db } }, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: b } } }, { podSelector: { matchLabels: { app: web } } }] }] }",
        "either",
      ),
    answers: {
      "ops/probe shop/web tcp 80": "denied",
      "ops/probe shop/db tcp 80": "allowed",
      "shop/web shop/db tcp 80": "allowed",
    },
  },
  {
    name: "an empty namespaceSelector is every namespace, but no address",
    manifests: policy("{ podSelector: {}, ingress: [{ from: [{ namespaceSelector: {} }] }] }"),
    answers: { "ops/probe shop/web tcp 80": "allowed", "192.0.2.1 shop/web tcp 80": "denied" },
  },
  {
    name: "ipBlock holds its addresses but the exceptions, and no pods",
    manifests: policy(
      "{ podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: 0.0.0.0/0, except: [192.0.2.128/25] } }] }] }",
    ),
    answers: {
      "192.0.2.127 shop/web tcp 80": "allowed",
      "192.0.2.128 shop/web tcp 80": "denied",
      "192.0.3.0 shop/web tcp 80": "allowed",
      "2001:db8::1 shop/web tcp 80": "denied",
      "10.0.0.1 shop/db tcp 80": "denied",
    },
  },
  {
    name: "policies add up, and both ends must agree",
    manifests:
      policy("{ podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] }", "a") +
      policy("{ podSelector: {}, ingress: [{ ports: [{ port: 81 }] }] }", "b") +
      policy("{ podSelector: {}, egress: [{ ports: [{ port: 81 }] }], policyTypes: [Egress] }", "out", "ops"),
    answers: {
      "ops/probe shop/web tcp 80": "denied",
      "ops/probe shop/web tcp 81": "allowed",
      "shop/db shop/web tcp 80": "allowed",
    },
  },
  {
    name: "a pod always reaches itself, but not another replica",
    manifests: policy("{ podSelector: {}, policyTypes: [Ingress, Egress] }", "p", "ops"),
    answers: { "ops/probe ops/probe tcp 80": "allowed", "ops/probe ops/probe#2 tcp 80": "denied" },
  },
  {
    name: "a node reaches the pods on it, whatever policies say",
    manifests: `${policy("{ podSelector: {} }")}
apiVersion: v1
kind: Node
metadata: { name: n1 }
status: { addresses: [{ type: InternalIP, address: 192.0.2.7 }, { type: Hostname, address: n1 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: here, namespace: shop }
spec: { nodeName: n1, containers: [] }
`,
    answers: { "192.0.2.7 shop/here tcp 80": "allowed", "192.0.2.7 shop/web tcp 80": "denied" },
  },
];

for (const { name, manifests, answers } of MEANINGS) {
  test(`NetworkPolicy: ${name}`, () => {
    for (const [question, answer] of Object.entries(answers)) assert.equal(ask(manifests, question), answer, question);
  });
}

function admin(priority: number, spec: string, name = `admin-${priority}`): string {
  return `apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: { name: ${name} }\nspec: { priority: ${priority}, ${spec} }\n---\n`;
}

const EVERY_POD = "subject: { namespaces: {} }";
const FROM_OPS = "from: [{ namespaces: { matchLabels: { team: b } } }]";

test("AdminNetworkPolicy: the lowest priority that matches decides, before NetworkPolicies", () => {
  const manifests =
    admin(20, `${EVERY_POD}, ingress: [{ action: Allow, ${FROM_OPS} }]`) +
    admin(
      10,
      `${EVERY_POD}, ingress: [{ action: Deny, ${FROM_OPS}, ports: [{ portNumber: { port: 80, protocol: TCP } }] }]`,
    ) +
    policy("{ podSelector: {} }");
  assert.equal(ask(manifests, "ops/probe shop/web tcp 80"), "denied");
  assert.equal(ask(manifests, "ops/probe shop/web tcp 81"), "allowed");
  assert.equal(ask(manifests, "shop/db shop/web tcp 81"), "denied");
});

test("AdminNetworkPolicy: pods of the host network are left alone, and equal priorities are refused", () => {
  const deny = admin(1, `${EVERY_POD}, ingress: [{ action: Deny, from: [{ namespaces: {} }] }]`);
  const host = `apiVersion: v1\nkind: Pod\nmetadata: { name: proxy, namespace: ops }\nspec: { hostNetwork: true, containers: [] }\n---\n`;
  assert.equal(ask(deny + host, "shop/db shop/web tcp 80"), "denied");
  assert.equal(ask(deny + host, "shop/db ops/proxy tcp 80"), "allowed");
  const same = deny + admin(1, `${EVERY_POD}, ingress: []`, "other");
  assert.throws(() => ask(same, "shop/db shop/web tcp 80"), /wanted a priority other than 1/);
});

test("AdminNetworkPolicy: Pass hands on to NetworkPolicies, skipping all later Admin rules", () => {
  const manifests =
    admin(1, `${EVERY_POD}, ingress: [{ action: Pass, ${FROM_OPS} }, { action: Deny, ${FROM_OPS} }]`) +
    admin(2, `${EVERY_POD}, ingress: [{ action: Deny, ${FROM_OPS} }]`);
  assert.equal(ask(manifests, "ops/probe shop/web tcp 80"), "allowed");
  assert.equal(ask(manifests + policy("{ podSelector: {} }"), "ops/probe shop/web tcp 80"), "denied");
});

test("AdminNetworkPolicy: peers as older manifests write them mean the same", () => {
  const older =
    admin(
      1,
      `${EVERY_POD}, ingress: [{ action: Deny, from: [{ namespaces: { namespaceSelector: { matchLabels: { team: b } } } }], ports: [{ portNumber: { port: 80 } }] }]`,
    ) +
    admin(
      2,
      `${EVERY_POD}, ingress: [{ action: Deny, from: [{ pods: { namespaces: { namespaceSelector: { matchLabels: { team: b } } }, podSelector: {} } }], ports: [{ portNumber: { port: 81 } }] }]`,
    );
  assert.equal(ask(older, "ops/probe shop/web tcp 80"), "denied");
  assert.equal(ask(older, "ops/probe shop/web tcp 81"), "denied");
  assert.equal(ask(older, "shop/db shop/web tcp 80"), "allowed");
});

test("BaselineAdminNetworkPolicy: it is asked only about pods that no NetworkPolicy isolates", () => {
  const baseline = `apiVersion: policy.networking.k8s.io/v1alpha1
kind: BaselineAdminNetworkPolicy
metadata: { name: default }
spec: { ${EVERY_POD}, ingress: [{ action: Deny, from: [{ namespaces: {} }] }] }
---
`;
  const open = policy("{ podSelector: { matchLabels: { app: web } }, ingress: [{ ports: [{ port: 80 }] }] }");
  assert.equal(ask(baseline + open, "ops/probe shop/db tcp 80"), "denied");
  assert.equal(ask(baseline + open, "ops/probe shop/web tcp 80"), "allowed");
  assert.equal(ask(baseline + open, "192.0.2.1 shop/db tcp 80"), "allowed");
});

test("AdminNetworkPolicy: networks, nodes and named ports are peers and services of egress", () => {
  const node = `apiVersion: v1
kind: Node
metadata: { name: n1, labels: { role: infra } }
status: { addresses: [{ type: InternalIP, address: 192.0.2.7 }] }
---
`;
  const manifests =
    node +
    admin(
      1,
      `${EVERY_POD}, egress: [{ action: Deny, to: [{ networks: [198.51.100.0/24, 2001:db8::/32] }, { nodes: { matchLabels: { role: infra } } }] }, { action: Deny, to: [{ pods: { namespaceSelector: {}, podSelector: {} } }], ports: [{ namedPort: dns }, { portRange: { start: 90, end: 91 } }] }]`,
    );
  assert.equal(ask(manifests, "shop/web 198.51.100.255 tcp 80"), "denied");
  assert.equal(ask(manifests, "shop/web 2001:db8::1 tcp 80"), "denied");
  assert.equal(ask(manifests, "shop/web 192.0.2.7 tcp 80"), "denied");
  assert.equal(ask(manifests, "shop/web 192.0.2.8 tcp 80"), "allowed");
  assert.equal(ask(manifests, "ops/probe shop/web udp 5353"), "denied");
  assert.equal(ask(manifests, "ops/probe shop/web tcp 91"), "denied");
  assert.equal(ask(manifests, "ops/probe shop/web udp 91"), "allowed");
});

test("ClusterNetworkPolicy: tiers, Accept, Pass and protocols of v1alpha2", () => {
  const cluster = (name: string, tier: string, priority: number, rule: string) =>
    `apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: { name: ${name} }\nspec: { tier: ${tier}, priority: ${priority}, ${EVERY_POD}, ingress: [{ ${rule}, ${FROM_OPS} }] }\n---\n`;
  const manifests =
    cluster("base", "Baseline", 0, "action: Deny") +
    cluster("dns", "Admin", 0, "action: Accept, protocols: [{ udp: { destinationPort: { number: 53 } } }]") +
    cluster(
      "pass",
      "Admin",
      1,
      "action: Pass, protocols: [{ tcp: { destinationPort: { range: { start: 1, end: 9 } } } }]",
    ) +
    cluster("rest", "Admin", 2, "action: Deny, protocols: [{ sctp: {} }]");
  assert.equal(ask(manifests, "ops/probe shop/web udp 53"), "allowed");
  assert.equal(ask(manifests, "ops/probe shop/web tcp 9"), "denied");
  assert.equal(ask(manifests, "ops/probe shop/web sctp 9"), "denied");
  assert.equal(ask(manifests, "shop/db shop/web tcp 9"), "allowed");
  assert.equal(ask(manifests + policy("{ podSelector: {}, ingress: [{}] }"), "ops/probe shop/web tcp 9"), "allowed");
});

/** What is refused, and the one line that says so. */
const REFUSALS: readonly (readonly [name: string, manifests: string, line: RegExp])[] = [
  ["text that is no YAML", "a: [1", /^all\.yaml:\d+:\d+: Cannot parse YAML: /],
  [
    "a misspelt field of a policy",
    `\n${policy("{ podSelectr: {} }")}`,
    /^all\.yaml:33:9: Cannot read field "spec\.podSelectr": wanted one of podSelector, policyTypes, ingress, egress$/,
  ],
  [
    "an unknown field of a peer",
    policy("{ podSelector: {}, ingress: [{ from: [{ serviceAccount: x }] }] }"),
    /Cannot read field "spec\.ingress\[0\]\.from\[0\]\.serviceAccount": wanted one of/,
  ],
  [
    "a peer without any field",
    policy("{ podSelector: {}, ingress: [{ from: [{}] }] }"),
    /wanted podSelector, namespaceSelector or ipBlock/,
  ],
  [
    "an impossible CIDR",
    policy("{ podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: 10.0.0.0/33 } }] }] }"),
    /Cannot parse CIDR "10\.0\.0\.0\/33": prefix must be 0\.\.32$/,
  ],
  [
    "an exception outside of its block",
    policy("{ podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: 10.0.0.0/8, except: [11.0.0.0/8] } }] }] }"),
    /wanted a part of 10\.0\.0\.0\/8$/,
  ],
  [
    "endPort before port",
    policy("{ podSelector: {}, ingress: [{ ports: [{ port: 80, endPort: 79 }] }] }"),
    /wanted a whole number 80\.\.65535$/,
  ],
  [
    "endPort beside a name",
    policy("{ podSelector: {}, ingress: [{ ports: [{ port: http, endPort: 79 }] }] }"),
    /wanted a port number beside it/,
  ],
  [
    "two policies of one name",
    policy("{ podSelector: {} }") + policy("{ podSelector: {} }"),
    /Cannot read NetworkPolicy shop\/p twice: the name is taken at all\.yaml:\d+$/,
  ],
  [
    "a policy for a namespace that does not exist",
    policy("{ podSelector: {} }", "p", "shpo"),
    /wanted a namespace that exists, "shpo" does not$/,
  ],
  [
    "a misspelt kind",
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolice\nmetadata: { name: p }\n",
    /Cannot read kind "NetworkPolice"/,
  ],
  [
    "an API version that is not one",
    "apiVersion: networking.k8s.io/v2\nkind: NetworkPolicy\nmetadata: { name: p, namespace: shop }\nspec: {}\n",
    /wanted networking\.k8s\.io\/v1 or extensions\/v1beta1$/,
  ],
  [
    "a policy of another plane",
    "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: { name: p, namespace: shop }\n",
    /wanted a policy of Kubernetes/,
  ],
  [
    "a rule of an AdminNetworkPolicy without peers",
    admin(1, `${EVERY_POD}, ingress: [{ action: Allow }]`),
    /wanted at least one peer in from$/,
  ],
  [
    "two AdminNetworkPolicies of one priority",
    admin(1, EVERY_POD, "a") + admin(1, EVERY_POD, "b"),
    /wanted a priority other than 1, which a has$/,
  ],
  ["an impossible label", policy('{ podSelector: { matchLabels: { "a b": c } } }'), /Cannot read label key "a b"/],
];

for (const [name, manifests, line] of REFUSALS) {
  test(`readKubernetes() refuses ${name}, in one line with its place`, () => {
    assert.throws(
      () => readKubernetes([{ path: "all.yaml", text: CLUSTER + manifests }]),
      (error) => error instanceof ManifestErrors && !error.message.includes("\n") && line.test(error.message),
    );
  });
}

test("readKubernetes() tells the faults of all files at once", () => {
  const files = ["a", "b"].map((name) => ({ path: `${name}.yaml`, text: policy("{ podSelector: 1 }", name) }));
  assert.throws(
    () => readKubernetes(files),
    (error) => error instanceof ManifestErrors && error.problems.length === 2,
  );
});

test("readKubernetes() takes lists apart, JSON too, and passes over what has no meaning to policy", () => {
  const list = JSON.stringify({
    apiVersion: "v1",
    kind: "PodList",
    items: [{ metadata: { name: "p", namespace: "shop" }, spec: { containers: [] } }],
  });
  const other =
    "apiVersion: example.com/v1\nkind: Anything\nmetadata: { name: x }\n---\n# nothing\n---\nkey: value\n---\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n---\napiVersion: v2\nname: chart\nversion: 0.1.0\n";
  const { cluster } = readKubernetes([
    { path: "list.json", text: list },
    { path: "other.yaml", text: other },
  ]);
  assert.deepEqual(
    cluster.inventory.workloads.map(({ id }) => id),
    ["shop/p"],
  );
});
