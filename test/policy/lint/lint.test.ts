import assert from "node:assert/strict";
import test from "node:test";
import { EMPTY_INVENTORY } from "../../../model/workload.js";
import { readKubernetes } from "../../../policy/formats/kubernetes/read.js";
import { lintManifests } from "../../../policy/lint/lint.js";
import { renderSarif, renderText } from "../../../policy/lint/render-findings.js";
import { TOWN } from "../formats/ask.js";

const EVERYBODY = policy("all", "{ podSelector: {}, ingress: [{}], policyTypes: [Ingress] }", "ops");

function policy(name: string, spec: string, namespace = "shop"): string {
  return `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: ${name}, namespace: ${namespace} }\nspec: ${spec}\n---\n`;
}

/** The findings about `policies` in the town, where `ops` is out of the way. */
function lint(policies: string): string[] {
  const files = [
    { path: "town.yaml", text: TOWN + EVERYBODY },
    { path: "policies.yaml", text: policies },
  ];
  return lintManifests(files, (all) => readKubernetes(all)).map(({ rule, text }) => `${rule}: ${text}`);
}

const CASES: readonly (readonly [name: string, policies: string, findings: readonly string[]])[] = [
  ["policies in order", policy("p", "{ podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] }"), []],
  [
    "workloads that nothing isolates",
    policy("p", "{ podSelector: { matchLabels: { app: web } } }"),
    ["unprotected: nothing isolates workload shop/db"],
  ],
  [
    "a policy that selects nobody, once and not for each rule",
    policy("p", "{ podSelector: {} }") + policy("q", "{ podSelector: { matchLabels: { app: wbe } }, ingress: [{}] }"),
    ["dead-subject: NetworkPolicy shop/q selects no workload"],
  ],
  [
    "a peer of which there is none",
    policy("p", "{ podSelector: {}, ingress: [{ from: [{ podSelector: { matchLabels: { app: ghost } } }] }] }"),
    ["dead-peer: nobody is a peer of rule shop/p ingress[0]"],
  ],
  [
    "a port that no server has",
    policy("p", "{ podSelector: {}, ingress: [{ ports: [{ port: htpp }] }] }"),
    ["dead-port: rule shop/p ingress[0] names port htpp, which no workload has"],
  ],
  [
    "a rule that another contains",
    policy("p", "{ podSelector: {}, ingress: [{ ports: [{ port: 80, endPort: 90 }] }, { ports: [{ port: 85 }] }] }"),
    ["no-effect: rule shop/p ingress[1] changes nothing: other rules decide all that it matches"],
  ],
  [
    "two equal rules of two policies, both",
    policy("p", "{ podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] }") +
      policy("q", "{ podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] }"),
    ["p", "q"].map(
      (name) => `no-effect: rule shop/${name} ingress[0] changes nothing: other rules decide all that it matches`,
    ),
  ],
  [
    "an edge that the other end denies",
    policy(
      "in",
      "{ podSelector: { matchLabels: { app: db } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: web } } }], ports: [{ port: 5432 }] }] }",
    ) +
      policy(
        "out",
        "{ podSelector: { matchLabels: { app: web } }, policyTypes: [Ingress, Egress], egress: [{ ports: [{ port: 53, protocol: UDP }] }] }",
      ),
    ["other-end-denies: rule shop/in ingress[0] allows what the clients' egress always denies"],
  ],
  [
    "egress rules that isolate ingress by accident",
    policy("p", "{ podSelector: {}, egress: [{ ports: [{ port: 53 }] }] }"),
    [
      "accidental-isolation: NetworkPolicy shop/p has egress rules only, yet isolates ingress too, since it has no policyTypes",
    ],
  ],
  [
    "rules for a direction that policyTypes leave out",
    policy("p", "{ podSelector: {}, policyTypes: [Ingress], egress: [{}] }"),
    ["ignored-rules: NetworkPolicy shop/p has egress rules that mean nothing, since its policyTypes lack Egress"],
  ],
  [
    "a rule without ports among rules that name theirs",
    policy(
      "p",
      "{ podSelector: { }, ingress: [{ from: [{ podSelector: { matchLabels: { app: web } } }], ports: [{ port: 1 }] }, { from: [{ namespaceSelector: { matchLabels: { team: b } } }] }, { from: [{ podSelector: { matchLabels: { app: db } } }], ports: [{ port: 2 }] }] }",
    ),
    ["broad-rule: rule shop/p ingress[1] allows every port, while the 2 rules beside it name theirs"],
  ],
];

for (const [name, policies, findings] of CASES) {
  test(`lint finds ${name}`, () => {
    assert.deepEqual(lint(policies), findings);
  });
}

test("lint compares rules with what was seen, also of pods that no manifest names", () => {
  const ofDb = "podSelector: { matchLabels: { app: db } }, policyTypes: [Ingress]";
  const text =
    policy("seen", `{ ${ofDb}, ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 5432 }] }] }`) +
    policy("unseen", `{ ${ofDb}, ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 22 }] }] }`) +
    policy("wide", `{ ${ofDb}, ingress: [{ ports: [{ port: 5000, endPort: 6000 }] }] }`);
  const replica = { kind: "workload", id: "shop/db-7f9" } as const;
  const observation = {
    inventory: {
      ...EMPTY_INVENTORY,
      workloads: [
        {
          ...{ id: replica.id, namespace: "shop", name: "db-7f9", kind: "Pod", labels: { app: "db" } },
          addresses: [{ address: "10.0.0.9" }],
        },
      ],
    },
    conversations: [
      {
        ...{ client: "10.0.0.1", clientIdentity: { kind: "workload", id: "shop/web" } as const },
        ...{ server: "10.0.0.9", serverIdentity: replica, protocol: 6, serverPort: 5432 },
      },
    ],
  };
  const files = [
    { path: "town.yaml", text: TOWN + EVERYBODY },
    { path: "policies.yaml", text },
  ];
  const found = lintManifests(files, (all) => readKubernetes(all), observation).map(
    ({ rule, text }) => `${rule}: ${text}`,
  );
  for (const wanted of [
    "unseen-rule: rule shop/unseen ingress[0] allows nothing that was seen",
    "wider-than-seen: rule shop/wide ingress[0] allows tcp 5000-6000, and only tcp 5432 was seen",
  ]) {
    assert.ok(found.includes(wanted), `${wanted} is missing in:\n${found.join("\n")}`);
  }
  assert.ok(!found.some((each) => each.includes("shop/seen") && /seen"?:|unseen-rule|wider/.test(each)));
});

test("findings are printed with file, line and column, as text and as SARIF", () => {
  const files = [
    { path: "a dir/all.yaml", text: TOWN + EVERYBODY + policy("q", "{ podSelector: { matchLabels: { app: wbe } } }") },
  ];
  const findings = lintManifests(files, (all) => readKubernetes(all)).slice(0, 1);
  assert.equal(
    renderText(findings),
    "a dir/all.yaml:40:1: warning: NetworkPolicy shop/q selects no workload [dead-subject]\n",
  );
  const { runs } = JSON.parse(renderSarif(findings, "1.2.3"));
  assert.deepEqual(runs[0].results, [
    {
      ruleId: "dead-subject",
      level: "warning",
      message: { text: "NetworkPolicy shop/q selects no workload" },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: "a%20dir/all.yaml" },
            region: { startLine: 40, startColumn: 1 },
          },
        },
      ],
    },
  ]);
});
