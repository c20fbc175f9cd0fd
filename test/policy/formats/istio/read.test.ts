import assert from "node:assert/strict";
import test from "node:test";
import { readIstio } from "../../../../policy/formats/istio/read.js";
import { ManifestErrors } from "../../../../policy/formats/manifest/manifest-error.js";
import { ask, TOWN } from "../ask.js";

function policy(name: string, spec: string, namespace = "shop", annotations = "{}"): string {
  return `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: ${name}, namespace: ${namespace}, annotations: ${annotations} }\nspec: ${spec}\n---\n`;
}

const from = (source: string) => `{ rules: [{ from: [{ source: ${source} }] }] }`;

interface Meaning {
  readonly name: string;
  readonly manifests: string;
  readonly answers: Readonly<Record<string, string>>;
}

const MEANINGS: readonly Meaning[] = [
  {
    name: "an ALLOW policy without rules closes TCP and nothing else",
    manifests: policy("p", "{}"),
    answers: {
      "ops/probe shop/web tcp 80": "denied",
      "ops/probe shop/web udp 80": "allowed",
      "shop/web ops/probe tcp 80": "allowed",
    },
  },
  {
    name: "an ALLOW policy with an empty rule allows all",
    manifests: policy("p", "{ rules: [{}] }"),
    answers: { "192.0.2.1 shop/web tcp 80": "allowed" },
  },
  {
    name: "DENY comes before ALLOW, and without rules matches nothing",
    manifests:
      policy("allow", "{ rules: [{}] }") +
      policy("deny", "{ action: DENY, rules: [{ to: [{ operation: { ports: ['80'] } }] }] }") +
      policy("none", "{ action: DENY }"),
    answers: { "ops/probe shop/web tcp 80": "denied", "ops/probe shop/web tcp 81": "allowed" },
  },
  {
    name: "DENY alone closes nobody",
    manifests: policy("deny", "{ action: DENY, rules: [{ from: [{ source: { namespaces: [ops] } }] }] }"),
    answers: { "ops/probe shop/web tcp 80": "denied", "192.0.2.1 shop/web tcp 80": "allowed" },
  },
  {
    name: "the selector keeps to workloads, the root namespace is for all namespaces",
    manifests:
      policy("p", "{ selector: { matchLabels: { app: web } } }") +
      policy("q", "{ selector: { matchLabels: { app: probe } } }", "istio-system"),
    answers: {
      "shop/db shop/web tcp 80": "denied",
      "ops/probe shop/db tcp 80": "allowed",
      "shop/db ops/probe tcp 80": "denied",
    },
  },
  {
    name: "principals are trust domain, namespace and service account, with a star at either end",
    manifests: policy(
      "p",
      "{ rules: [{ from: [{ source: { principals: [cluster.local/ns/shop/sa/data, '*/sa/nobody', cluster.local/ns/op*] } }] }] }",
    ),
    answers: {
      "shop/db shop/web tcp 80": "allowed",
      "ops/probe shop/web tcp 80": "allowed",
      "shop/web shop/db tcp 80": "denied",
      "192.0.2.1 shop/web tcp 80": "denied",
    },
  },
  {
    name: "service accounts need no namespace in their own",
    manifests: policy("p", from("{ serviceAccounts: [data, ops/default] }")),
    answers: {
      "shop/db shop/web tcp 80": "allowed",
      "ops/probe shop/web tcp 80": "allowed",
      "shop/web shop/db tcp 80": "denied",
    },
  },
  {
    name: "negated identities let plaintext through",
    manifests: policy("p", from("{ notNamespaces: [ops] }")),
    answers: {
      "ops/probe shop/web tcp 80": "denied",
      "shop/db shop/web tcp 80": "allowed",
      "192.0.2.1 shop/web tcp 80": "allowed",
    },
  },
  {
    name: "ipBlocks and notIpBlocks, and all fields of one source must hold",
    manifests: policy(
      "p",
      "{ rules: [{ from: [{ source: { ipBlocks: [192.0.2.0/24], notIpBlocks: [192.0.2.7] } }, { source: { ipBlocks: [10.0.0.1], namespaces: [ops] } }] }] }",
    ),
    answers: {
      "192.0.2.1 shop/web tcp 80": "allowed",
      "192.0.2.7 shop/web tcp 80": "denied",
      "shop/web shop/db tcp 80": "denied",
    },
  },
  {
    name: "ports and notPorts of an operation",
    manifests: policy(
      "p",
      "{ rules: [{ to: [{ operation: { ports: ['80', '81'], notPorts: ['81'] } }, { operation: { notPorts: ['1'] , ports: ['1', '2'] } }] }] }",
    ),
    answers: {
      "ops/probe shop/web tcp 80": "allowed",
      "ops/probe shop/web tcp 81": "denied",
      "ops/probe shop/web tcp 2": "allowed",
      "ops/probe shop/web tcp 1": "denied",
    },
  },
  {
    name: "conditions on the connection must all hold",
    manifests: policy(
      "p",
      "{ rules: [{ when: [{ key: source.namespace, values: [shop] }, { key: destination.port, notValues: ['22'] }, { key: source.ip, notValues: [10.0.0.1] }] }] }",
    ),
    answers: {
      "shop/db shop/web tcp 80": "allowed",
      "shop/db shop/web tcp 22": "denied",
      "shop/web shop/db tcp 80": "denied",
      "ops/probe shop/web tcp 80": "denied",
    },
  },
  {
    name: "what depends on the request is shown as allowed, and denies nothing",
    manifests:
      policy(
        "a",
        "{ rules: [{ from: [{ source: { namespaces: [ops] } }], to: [{ operation: { methods: [GET], ports: ['80'] } }] }] }",
      ) + policy("d", "{ action: DENY, rules: [{ to: [{ operation: { paths: [/admin] } }] }] }"),
    answers: { "ops/probe shop/web tcp 80": "allowed", "ops/probe shop/web tcp 81": "denied" },
  },
  {
    name: "AUDIT and CUSTOM change nothing",
    manifests:
      policy("a", "{ action: AUDIT, rules: [{}] }") +
      policy("c", "{ action: CUSTOM, provider: { name: x }, rules: [{}] }"),
    answers: { "ops/probe shop/web tcp 80": "allowed" },
  },
  {
    name: "targetRefs to a Service are about the pods behind it",
    manifests: policy("p", "{ targetRefs: [{ kind: Service, group: '', name: web }] }"),
    answers: { "ops/probe shop/web tcp 80": "denied", "ops/probe shop/db tcp 80": "allowed" },
  },
  {
    name: "a dry run only audits, and is judged alone",
    manifests:
      policy("real", "{ rules: [{ from: [{ source: { namespaces: [ops] } }] }] }") +
      policy(
        "dry",
        "{ rules: [{ from: [{ source: { namespaces: [shop] } }] }] }",
        "shop",
        "{ istio.io/dry-run: 'true' }",
      ),
    answers: { "ops/probe shop/web tcp 80": "audited", "shop/db shop/web tcp 80": "denied" },
  },
  {
    name: "Kubernetes policies stand below, and both must allow",
    manifests:
      policy("p", "{ rules: [{ from: [{ source: { namespaces: [ops] } }] }] }") +
      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: k, namespace: shop }\nspec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] }\n---\n",
    answers: {
      "ops/probe shop/web tcp 80": "allowed",
      "ops/probe shop/web tcp 81": "denied",
      "shop/db shop/web tcp 80": "denied",
      "ops/probe shop/web udp 80": "denied",
    },
  },
];

for (const { name, manifests, answers } of MEANINGS) {
  test(`Istio: ${name}`, () => {
    for (const [question, answer] of Object.entries(answers)) {
      assert.equal(ask(readIstio, TOWN + manifests, question), answer, question);
    }
  });
}

const REFUSALS: readonly (readonly [name: string, manifests: string, line: RegExp])[] = [
  [
    "an unknown field of a source",
    policy("p", from("{ principal: [a] }")),
    /Cannot read field "spec\.rules\[0\]\.from\[0\]\.source\.principal": wanted one of/,
  ],
  [
    "a port that is none",
    policy("p", "{ rules: [{ to: [{ operation: { ports: [http] } }] }] }"),
    /Cannot read port "http": wanted 1\.\.65535/,
  ],
  ["an action that is none", policy("p", "{ action: allow }"), /wanted one of ALLOW, DENY, AUDIT, CUSTOM/],
  [
    "a selector beside targetRefs",
    policy("p", "{ selector: {}, targetRefs: [{ kind: Service, name: web }] }"),
    /not both/,
  ],
  [
    "a dry run that is neither true nor false",
    policy("p", "{}", "shop", '{ istio.io/dry-run: "perhaps" }'),
    /"perhaps": wanted "true" or "false"/,
  ],
  [
    "a dry run of a policy that neither allows nor denies",
    policy("p", "{ action: AUDIT, rules: [{}] }", "shop", '{ istio.io/dry-run: "true" }'),
    /wanted a policy that allows or denies, this one is AUDIT/,
  ],
  ["an impossible block", policy("p", from("{ ipBlocks: [10.0.0.0/40] }")), /Cannot parse CIDR "10\.0\.0\.0\/40"/],
];

for (const [name, manifests, line] of REFUSALS) {
  test(`readIstio() refuses ${name}`, () => {
    assert.throws(
      () => readIstio([{ path: "all.yaml", text: TOWN + manifests }]),
      (error) => error instanceof ManifestErrors && line.test(error.message),
    );
  });
}
