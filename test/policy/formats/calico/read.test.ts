import assert from "node:assert/strict";
import test from "node:test";
import { readCalico } from "../../../../policy/formats/calico/read.js";
import { ManifestErrors } from "../../../../policy/formats/manifest/manifest-error.js";
import { ask, TOWN } from "../ask.js";

function object(kind: string, name: string, spec: string, namespace?: string): string {
  const place = namespace === undefined ? "" : `, namespace: ${namespace}`;
  return `apiVersion: projectcalico.org/v3\nkind: ${kind}\nmetadata: { name: ${name}${place} }\nspec: ${spec}\n---\n`;
}

const policy = (name: string, spec: string) => object("NetworkPolicy", name, spec, "shop");
const global = (name: string, spec: string) => object("GlobalNetworkPolicy", name, spec);
const allowFrom = (source: string) =>
  policy("p", `{ types: [Ingress], ingress: [{ action: Allow, source: ${source} }] }`);

interface Meaning {
  readonly name: string;
  readonly manifests: string;
  readonly answers: Readonly<Record<string, string>>;
}

const MEANINGS: readonly Meaning[] = [
  {
    name: "a policy without rules closes ingress of its namespace",
    manifests: policy("p", "{}"),
    answers: { "ops/probe shop/web tcp 80": "denied", "shop/web ops/probe tcp 80": "allowed" },
  },
  {
    name: "egress rules alone close egress alone",
    manifests: policy("p", "{ egress: [{ action: Allow, protocol: UDP }] }"),
    answers: {
      "shop/web ops/probe tcp 80": "denied",
      "shop/web ops/probe udp 80": "allowed",
      "ops/probe shop/web tcp 80": "allowed",
    },
  },
  {
    name: "the policy of the lowest order decides, and none comes last",
    manifests:
      policy("a", "{ ingress: [{ action: Allow }] }") +
      policy("b", "{ order: 20, ingress: [{ action: Deny, protocol: TCP }] }") +
      policy("c", "{ order: 10, ingress: [{ action: Allow, protocol: TCP, destination: { ports: [80] } }] }"),
    answers: {
      "ops/probe shop/web tcp 80": "allowed",
      "ops/probe shop/web tcp 81": "denied",
      "ops/probe shop/web udp 81": "allowed",
    },
  },
  {
    name: "Log decides nothing",
    manifests: policy("p", "{ ingress: [{ action: Log }, { action: Allow }] }"),
    answers: { "ops/probe shop/web tcp 80": "allowed" },
  },
  {
    name: "Pass skips the rest of the tier, and the last Pass leads to the profile, which allows",
    manifests:
      object("Tier", "first", "{ order: 1 }") +
      global(
        "first.a",
        "{ tier: first, order: 1, ingress: [{ action: Pass, protocol: TCP }, { action: Allow, protocol: UDP }] }",
      ) +
      global("first.b", "{ tier: first, order: 2, ingress: [{ action: Deny }] }") +
      policy("p", "{ ingress: [{ action: Pass, source: { selector: app == 'db' } }] }"),
    answers: {
      "ops/probe shop/web tcp 80": "denied",
      "shop/db shop/web tcp 80": "allowed",
      "shop/db shop/web udp 80": "allowed",
      "shop/db shop/web sctp 80": "denied",
      "shop/db ops/probe tcp 80": "allowed",
    },
  },
  {
    name: "a tier that passes by default closes nobody",
    manifests:
      object("Tier", "soft", "{ order: 1, defaultAction: Pass }") +
      global("soft.a", "{ tier: soft, ingress: [{ action: Deny, protocol: TCP }] }"),
    answers: { "ops/probe shop/web tcp 80": "denied", "ops/probe shop/web udp 80": "allowed" },
  },
  {
    name: "a selector in a namespaced policy means endpoints of its namespace",
    manifests: allowFrom("{ selector: all() }"),
    answers: {
      "shop/db shop/web tcp 80": "allowed",
      "ops/probe shop/web tcp 80": "denied",
      "192.0.2.1 shop/web tcp 80": "denied",
    },
  },
  {
    name: "no selector and no nets mean everybody",
    manifests: allowFrom("{}"),
    answers: { "ops/probe shop/web tcp 80": "allowed", "192.0.2.1 shop/web tcp 80": "allowed" },
  },
  {
    name: "a namespaceSelector opens other namespaces",
    manifests: allowFrom("{ namespaceSelector: team == 'b' }"),
    answers: { "ops/probe shop/web tcp 80": "allowed", "shop/db shop/web tcp 80": "denied" },
  },
  {
    name: "a namespaceSelector all() means whatever is in a namespace",
    manifests: allowFrom("{ namespaceSelector: all() }"),
    answers: { "ops/probe shop/web tcp 80": "allowed", "192.0.2.1 shop/web tcp 80": "denied" },
  },
  {
    name: "a namespace is known by the name that Calico gives it",
    manifests: allowFrom("{ namespaceSelector: projectcalico.org/name == 'ops' }"),
    answers: { "ops/probe shop/web tcp 80": "allowed", "shop/db shop/web tcp 80": "denied" },
  },
  {
    name: "a notSelector alone in a global policy means everybody else, addresses too",
    manifests: global(
      "p",
      "{ selector: app == 'web', ingress: [{ action: Allow, source: { notSelector: app == 'db' } }] }",
    ),
    answers: {
      "shop/db shop/web tcp 80": "denied",
      "ops/probe shop/web tcp 80": "allowed",
      "192.0.2.1 shop/web tcp 80": "allowed",
    },
  },
  {
    name: "a notSelector in a namespaced policy stays in the namespace",
    manifests: allowFrom("{ notSelector: app == 'db' }"),
    answers: { "shop/db shop/web tcp 80": "denied", "ops/probe shop/web tcp 80": "denied" },
  },
  {
    name: "nets match whoever has the address, pods too, and notNets take away",
    manifests: allowFrom("{ nets: [10.0.0.0/8, 192.0.2.0/24], notNets: [192.0.2.128/25] }"),
    answers: {
      "192.0.2.1 shop/db tcp 80": "allowed",
      "192.0.2.200 shop/db tcp 80": "denied",
      "shop/web shop/db tcp 80": "allowed",
    },
  },
  {
    name: "network sets are found by their labels: global ones by global policies, or through global()",
    manifests:
      "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkSet\nmetadata: { name: office, labels: { role: office } }\nspec: { nets: [192.0.2.0/24] }\n---\n" +
      global("p", "{ selector: app == 'web', ingress: [{ action: Allow, source: { selector: role == 'office' } }] }") +
      policy(
        "q",
        "{ selector: app == 'db', ingress: [{ action: Allow, protocol: TCP, source: { selector: role == 'office', namespaceSelector: global() } }, { action: Allow, protocol: UDP, source: { selector: role == 'office' } }] }",
      ),
    answers: {
      "192.0.2.1 shop/web tcp 80": "allowed",
      "192.0.3.1 shop/web tcp 80": "denied",
      "192.0.2.1 shop/db tcp 80": "allowed",
      "192.0.2.1 shop/db udp 80": "denied",
    },
  },
  {
    name: "service accounts are matched by name and by label",
    manifests:
      policy(
        "p",
        "{ selector: app == 'web', ingress: [{ action: Allow, protocol: TCP, source: { serviceAccounts: { names: [data] } } }, { action: Allow, protocol: UDP, source: { serviceAccounts: { selector: trust == 'high' } } }] }",
      ) + global("q", "{ serviceAccountSelector: trust == 'high', ingress: [{ action: Deny }] }"),
    answers: {
      "shop/db shop/web tcp 80": "allowed",
      "shop/db shop/web udp 80": "allowed",
      "ops/probe shop/web tcp 80": "denied",
      "ops/probe shop/db tcp 80": "denied",
    },
  },
  {
    name: "ports: ranges with a colon, names, and what must not be",
    manifests: policy(
      "p",
      "{ ingress: [{ action: Allow, protocol: TCP, destination: { ports: ['90:91', http] } }, { action: Allow, protocol: UDP, destination: { notPorts: [53] } }, { action: Allow, protocol: SCTP, destination: { notPorts: ['1:10'] } }] }",
    ),
    answers: {
      "ops/probe shop/web tcp 91": "allowed",
      "ops/probe shop/web tcp 8080": "allowed",
      "ops/probe shop/db tcp 8080": "denied",
      "ops/probe shop/web udp 53": "denied",
      "ops/probe shop/web udp 54": "allowed",
      "ops/probe shop/web sctp 10": "denied",
      "ops/probe shop/web sctp 11": "allowed",
    },
  },
  {
    name: "named ports that must not be are those of the server",
    manifests: policy("p", "{ ingress: [{ action: Allow, protocol: TCP, destination: { notPorts: [http] } }] }"),
    answers: {
      "ops/probe shop/web tcp 8080": "denied",
      "ops/probe shop/web tcp 5432": "allowed",
      "ops/probe shop/db tcp 5432": "denied",
    },
  },
  {
    name: "ICMP by type and code, its negation, and protocols by number",
    manifests: policy(
      "p",
      "{ ingress: [{ action: Allow, protocol: ICMP, icmp: { type: 8 } }, { action: Allow, protocol: ICMPv6, notICMP: { type: 128 } }, { action: Allow, protocol: 47 }] }",
    ),
    answers: {
      "ops/probe shop/db icmp 8": "allowed",
      "ops/probe shop/db icmp 0": "denied",
      "ops/probe shop/db icmpv6 128": "denied",
      "ops/probe shop/db icmpv6 129": "allowed",
      "ops/probe shop/db 47": "allowed",
      "ops/probe shop/db 48": "denied",
    },
  },
  {
    name: "notProtocol is every other protocol",
    manifests: policy("p", "{ ingress: [{ action: Allow, notProtocol: TCP }] }"),
    answers: {
      "ops/probe shop/web tcp 1": "denied",
      "ops/probe shop/web udp 1": "allowed",
      "ops/probe shop/web 47": "allowed",
    },
  },
  {
    name: "ipVersion keeps to one family",
    manifests: policy("p", "{ ingress: [{ action: Allow, ipVersion: 4 }] }"),
    answers: { "192.0.2.1 shop/db tcp 1": "allowed", "2001:db8::1 shop/db tcp 1": "denied" },
  },
  {
    name: "the destination of an ingress rule narrows who is governed",
    manifests: policy("p", "{ ingress: [{ action: Allow, destination: { selector: app == 'web' } }] }"),
    answers: { "ops/probe shop/web tcp 1": "allowed", "ops/probe shop/db tcp 1": "denied" },
  },
  {
    name: "a service as destination is its pods at their ports",
    manifests: object(
      "NetworkPolicy",
      "p",
      "{ types: [Egress], egress: [{ action: Allow, destination: { services: { name: web, namespace: shop } } }] }",
      "ops",
    ),
    answers: {
      "ops/probe shop/web tcp 8080": "allowed",
      "ops/probe shop/web tcp 80": "denied",
      "ops/probe shop/db tcp 8080": "denied",
    },
  },
  {
    name: "Kubernetes policies are asked among those of tier default, at order 1000",
    manifests:
      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: k, namespace: shop }\nspec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }, { port: 81 }] }] }\n---\n" +
      policy("early", "{ order: 900, ingress: [{ action: Deny, protocol: TCP, destination: { ports: [81] } }] }") +
      policy(
        "late",
        "{ order: 1100, ingress: [{ action: Deny, protocol: TCP, destination: { ports: [80] } }, { action: Allow, protocol: UDP }] }",
      ),
    answers: {
      "ops/probe shop/web tcp 80": "allowed",
      "ops/probe shop/web tcp 81": "denied",
      "ops/probe shop/web udp 1": "allowed",
      "ops/probe shop/web tcp 82": "denied",
    },
  },
  {
    name: "what HTTP or source ports would narrow is shown as allowed, and denies nothing",
    manifests: policy(
      "p",
      "{ ingress: [{ action: Deny, protocol: TCP, source: { ports: [1] } }, { action: Allow, protocol: TCP, http: { methods: [GET] } }] }",
    ),
    answers: { "ops/probe shop/web tcp 80": "allowed", "ops/probe shop/web udp 80": "denied" },
  },
  {
    name: "a staged deletion is not tried out",
    manifests:
      policy("p", "{ selector: app == 'web' }") +
      object("StagedNetworkPolicy", "p", "{ stagedAction: Delete }", "shop"),
    answers: { "ops/probe shop/web tcp 80": "denied" },
  },
  {
    name: "Learn is tried out as Set is",
    manifests: object("StagedNetworkPolicy", "p", "{ stagedAction: Learn, selector: app == 'web' }", "shop"),
    answers: { "ops/probe shop/web tcp 80": "audited" },
  },
  {
    name: "a tier with staged policies only denies nothing, and its default action is tried out",
    manifests:
      object("Tier", "first", "{ order: 1 }") +
      object("StagedGlobalNetworkPolicy", "first.s", "{ tier: first, ingress: [{ action: Pass, protocol: TCP }] }"),
    answers: { "ops/probe shop/web tcp 80": "allowed", "ops/probe shop/web udp 80": "audited" },
  },
  {
    name: "what only staged policies deny is audited",
    manifests:
      object(
        "StagedNetworkPolicy",
        "s",
        "{ selector: app == 'web', ingress: [{ action: Allow, protocol: TCP }] }",
        "shop",
      ) + policy("p", "{ selector: app == 'db' }"),
    answers: {
      "ops/probe shop/web udp 80": "audited",
      "ops/probe shop/web tcp 80": "allowed",
      "ops/probe shop/db tcp 80": "denied",
    },
  },
  {
    name: "a staged policy stands in for its enforced twin",
    manifests:
      policy("p", "{ selector: app == 'web', ingress: [{ action: Allow }] }") +
      object(
        "StagedNetworkPolicy",
        "p",
        "{ selector: app == 'web', ingress: [{ action: Allow, protocol: TCP }] }",
        "shop",
      ),
    answers: { "ops/probe shop/web udp 80": "audited", "ops/probe shop/web tcp 80": "allowed" },
  },
  {
    name: "a host endpoint is closed but for what its policies allow",
    manifests:
      "apiVersion: projectcalico.org/v3\nkind: HostEndpoint\nmetadata: { name: n1, labels: { host: a } }\nspec: { node: n1, expectedIPs: [192.0.2.9] }\n---\n" +
      global("p", "{ selector: host == 'a', ingress: [{ action: Allow, protocol: TCP }], types: [Ingress] }"),
    answers: { "ops/probe 192.0.2.9 tcp 80": "allowed", "ops/probe 192.0.2.9 udp 80": "denied" },
  },
];

for (const { name, manifests, answers } of MEANINGS) {
  test(`Calico: ${name}`, () => {
    for (const [question, answer] of Object.entries(answers)) {
      assert.equal(ask(readCalico, TOWN + manifests, question), answer, question);
    }
  });
}

const REFUSALS: readonly (readonly [name: string, manifests: string, line: RegExp])[] = [
  [
    "an unknown field",
    policy("p", "{ ingress: [{ action: Allow, sorce: {} }] }"),
    /Cannot read field "spec\.ingress\[0\]\.sorce": wanted one of/,
  ],
  [
    "a Service beside a selector",
    policy("p", "{ egress: [{ action: Allow, destination: { services: { name: web }, selector: all() } }] }"),
    /wanted it or selector, not both/,
  ],
  ["a selector that is none", policy("p", "{ selector: app = 'x' }"), /Cannot parse selector "app = 'x'"/],
  [
    "ports without protocol",
    policy("p", "{ ingress: [{ action: Allow, destination: { ports: [80] } }] }"),
    /wanted protocol TCP, UDP or SCTP beside it/,
  ],
  ["a tier that does not exist", policy("p", "{ tier: nowhere }"), /wanted a Tier that exists, "nowhere" does not/],
  ["an unknown kind", object("NetworkPolice", "p", "{}"), /Cannot read kind "NetworkPolice"/],
  ["two policies of one name", policy("p", "{}") + policy("p", "{}"), /twice: the name is taken at/],
  [
    "domains, which only the Enterprise edition knows",
    policy("p", "{ egress: [{ action: Allow, destination: { domains: [a.example] } }] }"),
    /Cannot read field "spec\.egress\[0\]\.destination\.domains"/,
  ],
];

for (const [name, manifests, line] of REFUSALS) {
  test(`readCalico() refuses ${name}`, () => {
    assert.throws(
      () => readCalico([{ path: "all.yaml", text: TOWN + manifests }]),
      (error) => error instanceof ManifestErrors && line.test(error.message),
    );
  });
}
