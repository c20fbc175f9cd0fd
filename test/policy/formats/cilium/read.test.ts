import assert from "node:assert/strict";
import test from "node:test";
import { compileProgram } from "../../../../policy/decision/compiled-policy.js";
import { readCilium } from "../../../../policy/formats/cilium/read.js";
import { ManifestErrors } from "../../../../policy/formats/manifest/manifest-error.js";
import { ask, TOWN } from "../ask.js";

function object(kind: string, name: string, spec: string, namespace?: string): string {
  const place = namespace === undefined ? "" : `, namespace: ${namespace}`;
  return `apiVersion: cilium.io/v2\nkind: ${kind}\nmetadata: { name: ${name}${place} }\nspec: ${spec}\n---\n`;
}

const policy = (name: string, spec: string) => object("CiliumNetworkPolicy", name, spec, "shop");
const clusterwide = (name: string, spec: string) => object("CiliumClusterwideNetworkPolicy", name, spec);
const ofWeb = (rules: string) => policy("p", `{ endpointSelector: { matchLabels: { app: web } }, ${rules} }`);

const NODES = `
apiVersion: v1
kind: Node
metadata: { name: one, labels: { role: edge, kubernetes.io/os: linux } }
status: { addresses: [{ type: InternalIP, address: 10.9.0.1 }] }
---
apiVersion: v1
kind: Node
metadata: { name: two, labels: { role: core } }
status: { addresses: [{ type: InternalIP, address: 10.9.0.2 }] }
---
`;

interface Meaning {
  readonly name: string;
  readonly manifests: string;
  readonly answers: Readonly<Record<string, string>>;
}

const MEANINGS: readonly Meaning[] = [
  {
    name: "an ingress section closes ingress of who is selected, and nothing else",
    manifests: ofWeb("ingress: [{ fromEndpoints: [{ matchLabels: { app: db } }] }]"),
    answers: {
      "shop/db shop/web tcp 80": "allowed",
      "ops/probe shop/web tcp 80": "denied",
      "192.0.2.1 shop/web tcp 80": "denied",
      "shop/web ops/probe tcp 80": "allowed",
      "ops/probe shop/db tcp 80": "allowed",
    },
  },
  {
    name: "an empty rule closes, an empty list does not",
    manifests: ofWeb("ingress: [{}], egress: []"),
    answers: { "shop/db shop/web tcp 80": "denied", "shop/web shop/db tcp 80": "allowed" },
  },
  {
    name: "an empty list of peers matches nobody, an empty selector everybody of the namespace",
    manifests: ofWeb("ingress: [{ fromEndpoints: [] }], egress: [{ toEndpoints: [{}] }]"),
    answers: {
      "shop/db shop/web tcp 80": "denied",
      "shop/web shop/db tcp 80": "allowed",
      "shop/web ops/probe tcp 80": "denied",
      "shop/web 192.0.2.1 tcp 80": "denied",
    },
  },
  {
    name: "a selector means other namespaces only where it names them, by name or by label",
    manifests:
      ofWeb(`ingress: [{ fromEndpoints: [{ matchLabels: { app: probe } }], toPorts: [{ ports: [{ port: "1" }] }] },
        { fromEndpoints: [{ matchLabels: { "k8s:io.kubernetes.pod.namespace": ops } }], toPorts: [{ ports: [{ port: "2" }] }] },
        { fromEndpoints: [{ matchLabels: { "k8s:io.cilium.k8s.namespace.labels.team": b } }], toPorts: [{ ports: [{ port: "3" }] }] },
        { fromEndpoints: [{ matchExpressions: [{ key: "k8s:io.kubernetes.pod.namespace", operator: Exists }] }], toPorts: [{ ports: [{ port: "4" }] }] }]`),
    answers: {
      "ops/probe shop/web tcp 1": "denied",
      "ops/probe shop/web tcp 2": "allowed",
      "ops/probe shop/web tcp 3": "allowed",
      "ops/probe shop/web tcp 4": "allowed",
    },
  },
  {
    name: "a clusterwide policy and its peers know no namespace",
    manifests: clusterwide(
      "p",
      "{ endpointSelector: {}, ingress: [{ fromEndpoints: [{ matchLabels: { app: probe } }] }] }",
    ),
    answers: { "ops/probe shop/web tcp 80": "allowed", "shop/web ops/probe tcp 80": "denied" },
  },
  {
    name: "a service account is a label",
    manifests: clusterwide(
      "p",
      "{ endpointSelector: {}, ingress: [{ fromEndpoints: [{ matchLabels: { io.cilium.k8s.policy.serviceaccount: data } }] }] }",
    ),
    answers: { "shop/db ops/probe tcp 80": "allowed", "shop/web ops/probe tcp 80": "denied" },
  },
  {
    name: "a deny rule beats every allow, in whatever policy, and closes what it is about",
    manifests:
      ofWeb("ingress: [{ fromEntities: [all] }]") +
      policy(
        "q",
        `{ endpointSelector: {}, ingressDeny: [{ fromEndpoints: [{ matchLabels: { app: db } }],
        toPorts: [{ ports: [{ port: "80", protocol: TCP }] }] }] }`,
      ),
    answers: {
      "shop/db shop/web tcp 80": "denied",
      "shop/db shop/web tcp 81": "allowed",
      "ops/probe shop/web tcp 80": "allowed",
      "ops/probe shop/db tcp 81": "denied",
    },
  },
  {
    name: "enableDefaultDeny false leaves open what no rule speaks of, and deny rules in force",
    manifests:
      ofWeb(`enableDefaultDeny: { ingress: false }, ingress: [{ fromEndpoints: [{ matchLabels: { app: db } }] }],
      ingressDeny: [{ fromEndpoints: [{ matchLabels: { app: db } }], toPorts: [{ ports: [{ port: "22" }] }] }]`),
    answers: {
      "ops/probe shop/web tcp 80": "allowed",
      "shop/db shop/web tcp 80": "allowed",
      "shop/db shop/web tcp 22": "denied",
    },
  },
  {
    name: "enableDefaultDeny true closes a direction without rules",
    manifests: ofWeb("enableDefaultDeny: { egress: true }, ingress: [{ fromEntities: [all] }]"),
    answers: { "shop/web ops/probe tcp 80": "denied", "ops/probe shop/web tcp 80": "allowed" },
  },
  {
    name: "ports are texts, without a protocol all of TCP, UDP and SCTP; ranges and names",
    manifests: ofWeb(
      `ingress: [{ toPorts: [{ ports: [{ port: "53" }, { port: "8000", endPort: 8010, protocol: UDP }, { port: http, protocol: TCP }] }] }]`,
    ),
    answers: {
      "ops/probe shop/web sctp 53": "allowed",
      "ops/probe shop/web udp 8010": "allowed",
      "ops/probe shop/web tcp 8010": "denied",
      "ops/probe shop/web tcp 8080": "allowed",
      "ops/probe shop/web icmp 8": "denied",
    },
  },
  {
    name: "port 0 is every port of the protocol",
    manifests: ofWeb(`ingress: [{ toPorts: [{ ports: [{ port: "0", protocol: UDP }] }] }]`),
    answers: { "ops/probe shop/web udp 9": "allowed", "ops/probe shop/web tcp 9": "denied" },
  },
  {
    name: "icmps by number and by name, IPv4 unless it says IPv6",
    manifests: ofWeb(`ingress: [{ icmps: [{ fields: [{ type: 8 }, { type: EchoRequest, family: IPv6 }] }] }]`),
    answers: {
      "ops/probe shop/web icmp 8": "allowed",
      "ops/probe shop/web icmp 0": "denied",
      "ops/probe shop/web icmpv6 128": "allowed",
      "ops/probe shop/web tcp 80": "denied",
    },
  },
  {
    name: "a CIDR is neither pods nor nodes, and exceptions are left out",
    manifests: NODES + ofWeb("egress: [{ toCIDRSet: [{ cidr: 10.0.0.0/8, except: [10.7.0.0/16] }] }]"),
    answers: {
      "shop/web 10.1.2.3 tcp 80": "allowed",
      "shop/web 10.7.2.3 tcp 80": "denied",
      "shop/web 11.1.2.3 tcp 80": "denied",
      "shop/web 10.9.0.1 tcp 80": "denied",
      "shop/web shop/db tcp 80": "denied",
    },
  },
  {
    name: "a CiliumCIDRGroup stands for its CIDRs",
    manifests:
      object("CiliumCIDRGroup", "office", "{ externalCIDRs: [192.0.2.0/24] }") +
      ofWeb("ingress: [{ fromCIDRSet: [{ cidrGroupRef: office }] }]"),
    answers: { "192.0.2.9 shop/web tcp 80": "allowed", "192.0.3.9 shop/web tcp 80": "denied" },
  },
  {
    name: "entities: world is who is neither pod nor node, cluster is both, host is the nodes",
    manifests:
      NODES +
      ofWeb(`ingress: [{ fromEntities: [world], toPorts: [{ ports: [{ port: "1" }] }] },
        { fromEntities: [cluster], toPorts: [{ ports: [{ port: "2" }] }] }, { fromEntities: [host], toPorts: [{ ports: [{ port: "3" }] }] },
        { fromEndpoints: [{ matchLabels: { "reserved:host": "" } }], toPorts: [{ ports: [{ port: "4" }] }] }]`),
    answers: {
      "192.0.2.1 shop/web tcp 1": "allowed",
      "ops/probe shop/web tcp 1": "denied",
      "10.9.0.1 shop/web tcp 1": "denied",
      "ops/probe shop/web tcp 2": "allowed",
      "10.9.0.1 shop/web tcp 2": "allowed",
      "192.0.2.1 shop/web tcp 2": "denied",
      "10.9.0.1 shop/web tcp 3": "allowed",
      "ops/probe shop/web tcp 3": "denied",
      "10.9.0.2 shop/web tcp 4": "allowed",
    },
  },
  {
    name: "toServices is the pods behind a Service, by name or by label, in whatever namespace unless it names one",
    manifests:
      ofWeb(`egress: [{ toServices: [{ k8sService: { serviceName: back, namespace: shop } }] },
        { toServices: [{ k8sServiceSelector: { selector: { matchExpressions: [{ key: side, operator: NotIn, values: [left] }, { key: side, operator: Exists }] } } }] }]`) +
      `apiVersion: v1\nkind: Service\nmetadata: { name: back, namespace: shop, labels: { side: left } }\nspec: { selector: { app: db } }\n---\n` +
      `apiVersion: v1\nkind: Service\nmetadata: { name: probe, namespace: ops, labels: { side: right } }\nspec: { selector: { app: probe } }\n---\n`,
    answers: {
      "shop/web shop/db tcp 80": "allowed",
      "shop/web ops/probe tcp 80": "allowed",
      "shop/web 192.0.2.1 tcp 80": "denied",
    },
  },
  {
    name: "toServices of a Service without a selector is the addresses that its Endpoints list",
    manifests:
      ofWeb("egress: [{ toServices: [{ k8sService: { serviceName: legacy, namespace: shop } }] }]") +
      `apiVersion: v1\nkind: Service\nmetadata: { name: legacy, namespace: shop }\nspec: { ports: [{ port: 80 }] }\n---\n` +
      `apiVersion: v1\nkind: Endpoints\nmetadata: { name: legacy, namespace: shop }\nsubsets: [{ addresses: [{ ip: 192.0.2.7 }], ports: [{ port: 80 }] }]\n---\n`,
    answers: { "shop/web 192.0.2.7 tcp 80": "allowed", "shop/web 192.0.2.8 tcp 80": "denied" },
  },
  {
    name: "nodeSelector governs nodes and no pods, by the labels that Cilium gives them",
    manifests:
      NODES +
      clusterwide(
        "edge",
        `{ nodeSelector: { matchLabels: { role: edge } }, ingress: [{ fromEntities: [cluster], toPorts: [{ ports: [{ port: "22", protocol: TCP }] }] }] }`,
      ),
    answers: {
      "ops/probe 10.9.0.1 tcp 22": "allowed",
      "ops/probe 10.9.0.1 tcp 23": "denied",
      "192.0.2.1 10.9.0.1 tcp 22": "denied",
      "ops/probe 10.9.0.2 tcp 23": "allowed",
      "192.0.2.1 shop/web tcp 23": "allowed",
    },
  },
  {
    name: "a nodeSelector by a label that Cilium leaves out is valid and governs nobody",
    manifests:
      NODES + clusterwide("os", "{ nodeSelector: { matchLabels: { kubernetes.io/os: linux } }, ingress: [{}] }"),
    answers: { "192.0.2.1 10.9.0.1 tcp 22": "allowed" },
  },
  {
    name: "toFQDNs allows nobody whose name is not known",
    manifests: ofWeb("egress: [{ toFQDNs: [{ matchName: example.com }, { matchPattern: '*.example.org' }] }]"),
    answers: { "shop/web 192.0.2.1 tcp 443": "denied" },
  },
  {
    name: "several specs of one object count each for itself",
    manifests: `apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: { name: p, namespace: shop }
specs: [{ endpointSelector: { matchLabels: { app: web } }, ingress: [{}] }, { endpointSelector: { matchLabels: { app: db } }, egress: [{}] }]\n---\n`,
    answers: {
      "ops/probe shop/web tcp 80": "denied",
      "shop/db ops/probe tcp 80": "denied",
      "shop/web ops/probe tcp 80": "allowed",
    },
  },
  {
    name: "a NetworkPolicy of Kubernetes adds to what is allowed, and cannot undo a deny",
    manifests:
      ofWeb(
        `ingress: [{ fromEndpoints: [{ matchLabels: { app: db } }] }], ingressDeny: [{ toPorts: [{ ports: [{ port: "22" }] }] }]`,
      ) +
      `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: n, namespace: shop }
spec: { podSelector: {}, policyTypes: [Ingress], ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: b } } }] }] }\n---\n`,
    answers: {
      "shop/db shop/web tcp 80": "allowed",
      "ops/probe shop/web tcp 80": "allowed",
      "ops/probe shop/web tcp 22": "denied",
      "192.0.2.1 shop/web tcp 80": "denied",
    },
  },
];

for (const { name, manifests, answers } of MEANINGS) {
  test(`Cilium: ${name}`, () => {
    for (const [question, wanted] of Object.entries(answers)) {
      assert.equal(ask(readCilium, TOWN + manifests, question), wanted, question);
    }
  });
}

test("Cilium: a rule with L7 parts or mutual authentication is shown without them, and its name says so", () => {
  const manifests =
    ofWeb(`ingress: [{ fromEndpoints: [{ matchLabels: { app: db } }], authentication: { mode: required },
    toPorts: [{ ports: [{ port: "80", protocol: TCP }], rules: { http: [{ method: GET }] }, serverNames: [a.example] }] }]`);
  const { program, cluster } = readCilium([{ path: "all.yaml", text: TOWN + manifests }]);
  const { verdict, rules } = compileProgram(program, cluster.inventory).verdict({
    client: { kind: "workload", id: "shop/db" },
    server: { kind: "workload", id: "shop/web" },
    protocol: 6,
    port: 80,
  });
  assert.equal(verdict, "allowed");
  assert.deepEqual(rules, [
    "CiliumNetworkPolicy shop/p ingress[0] (narrower than shown: http rules, mutual authentication, serverNames)",
  ]);
});

const REFUSALS: readonly { readonly name: string; readonly manifests: string; readonly told: RegExp }[] = [
  { name: "an unknown field, by name", manifests: ofWeb("ingres: []"), told: /:\d+:\d+: .*"spec\.ingres"/ },
  {
    name: "fromRequires, which is gone",
    manifests: ofWeb("ingress: [{ fromRequires: [{}] }]"),
    told: /"[^"]*fromRequires"/,
  },
  {
    name: "toGroups, whose members are in no manifest",
    manifests: ofWeb("egress: [{ toGroups: [{}] }]"),
    told: /"[^"]*toGroups"/,
  },
  {
    name: "kinds of peers that exclude each other",
    manifests: ofWeb("ingress: [{ fromEndpoints: [{}], fromCIDR: [10.0.0.0/8] }]"),
    told: /wanted one of fromEndpoints and fromCIDR/,
  },
  {
    name: "toPorts beside icmps",
    manifests: ofWeb("ingress: [{ toPorts: [], icmps: [] }]"),
    told: /wanted toPorts or icmps/,
  },
  {
    name: "a policy without any rule",
    manifests: policy("p", "{ endpointSelector: {} }"),
    told: /wanted at least one rule/,
  },
  {
    name: "a policy without a selector",
    manifests: policy("p", "{ ingress: [{}] }"),
    told: /wanted either endpointSelector or nodeSelector/,
  },
  {
    name: "nodes in a policy of a namespace",
    manifests: policy("p", "{ nodeSelector: {}, ingress: [{}] }"),
    told: /CiliumClusterwideNetworkPolicy for nodes/,
  },
  {
    name: "a port that is a number",
    manifests: ofWeb("ingress: [{ toPorts: [{ ports: [{ port: 80 }] }] }]"),
    told: /port/,
  },
  {
    name: "more than 40 ports in one list",
    manifests: ofWeb(
      `ingress: [{ toPorts: [{ ports: [${Array.from({ length: 41 }, (_, i) => `{ port: "${i + 1}" }`).join()}] }] }]`,
    ),
    told: /at most 40/,
  },
  { name: "a CIDR that is none", manifests: ofWeb("ingress: [{ fromCIDR: [10.0.0.0/40] }]"), told: /10\.0\.0\.0\/40/ },
  {
    name: "an exception outside of its CIDR",
    manifests: ofWeb("ingress: [{ fromCIDRSet: [{ cidr: 10.0.0.0/8, except: [11.0.0.0/16] }] }]"),
    told: /wanted a part of 10\.0\.0\.0\/8/,
  },
  {
    name: "a CIDR group that nobody declares",
    manifests: ofWeb("ingress: [{ fromCIDRSet: [{ cidrGroupRef: x }] }]"),
    told: /CiliumCIDRGroup "x"/,
  },
  {
    name: "an entity that Cilium does not know",
    manifests: ofWeb("ingress: [{ fromEntities: [moon] }]"),
    told: /moon/,
  },
  { name: "a name used twice", manifests: ofWeb("ingress: [{}]") + ofWeb("ingress: [{}]"), told: /twice/ },
  {
    name: "a namespace that does not exist",
    manifests: object("CiliumNetworkPolicy", "p", "{ endpointSelector: {}, ingress: [{}] }", "nope"),
    told: /"nope" does not/,
  },
  {
    name: "another version of the API",
    manifests: ofWeb("ingress: [{}]").replace("cilium.io/v2", "cilium.io/v9"),
    told: /wanted cilium\.io\/v2/,
  },
];

for (const { name, manifests, told } of REFUSALS) {
  test(`readCilium() refuses ${name}`, () => {
    assert.throws(
      () => readCilium([{ path: "all.yaml", text: TOWN + manifests }]),
      (error) => error instanceof ManifestErrors && told.test(error.message),
    );
  });
}
