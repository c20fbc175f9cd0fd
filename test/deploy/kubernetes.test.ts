import assert from "node:assert/strict";
import test from "node:test";
import { DaemonSet, StatefulSet } from "kubernetes-models/apps/v1";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import { ConfigMap, Namespace, Service, ServiceAccount } from "kubernetes-models/v1";
import { parse } from "yaml";
import { manifests, read } from "./deployments.js";

interface Validated {
  validate(): void;
}
type Model = new (manifest: object) => Validated;

/** Validators made from the OpenAPI document of Kubernetes; what is not here, nobody asked for. */
const MODELS: Readonly<Record<string, Model>> = Object.fromEntries(
  Object.entries({ DaemonSet, StatefulSet, NetworkPolicy, ConfigMap, Namespace, Service, ServiceAccount }).map(
    ([kind, model]) => [kind, model as unknown as Model],
  ),
);

const all = manifests();

for (const manifest of all) {
  test(`${manifest.kind} ${manifest.metadata.name} is valid by the published schema and stays in our namespace`, () => {
    const model = MODELS[manifest.kind];
    assert.ok(model !== undefined, `no schema for ${manifest.kind}: no role, no cluster-wide right is wanted`);
    new model(manifest).validate();
    if (manifest.kind === "Namespace") assert.equal(manifest.metadata.name, "portolan");
    else assert.equal(manifest.metadata.namespace, "portolan");
  });
}

test("the published schema is not blind: a misspelt field is refused", () => {
  const [first] = all.filter(({ kind }) => kind === "StatefulSet");
  assert.throws(() => new StatefulSet({ ...first, spec: { replica: 1 } } as never).validate());
});

test("kustomize applies every file, and no other", () => {
  const { resources } = parse(read("deploy/kubernetes/kustomization.yaml")) as { resources: string[] };
  const counted = resources.map((name) => read(`deploy/kubernetes/${name}`).match(/^kind:/gm)?.length ?? 0);
  assert.equal(
    counted.reduce((sum, count) => sum + count, 0),
    all.length,
  );
});

interface Security {
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly allowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly privileged?: boolean;
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
}

test("containers that stay run as no root, on a read-only root, with just the capabilities that they need", () => {
  const added = new Map<string, readonly string[]>();
  for (const { spec } of all) {
    const pod = spec?.template?.spec as
      | { securityContext: Security; containers: { name: string; securityContext: Security }[] }
      | undefined;
    if (pod === undefined) continue;
    assert.equal(pod.securityContext.runAsNonRoot, true);
    for (const { name, securityContext: own } of pod.containers) {
      assert.deepEqual(own.capabilities?.drop, ["ALL"], name);
      assert.equal(own.readOnlyRootFilesystem, true, name);
      assert.notEqual(own.privileged, true, name);
      assert.equal(own.runAsUser ?? pod.securityContext.runAsUser, 1000, name);
      added.set(name, own.capabilities?.add ?? []);
    }
  }
  assert.deepEqual([...added].sort(), [
    ["analyzer", []],
    ["collector", ["NET_RAW"]],
  ]);
});
