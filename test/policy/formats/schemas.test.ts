import assert from "node:assert/strict";
import test from "node:test";
import { CiliumClusterwideNetworkPolicy, CiliumNetworkPolicy } from "@kubernetes-models/cilium/cilium.io/v2";
import { AuthorizationPolicy } from "@kubernetes-models/istio/security.istio.io/v1";
import fc from "fast-check";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import { parse } from "yaml";
import { TARGETS } from "../../../policy/formats/targets.js";
import { arbitraryBundleRequest } from "../arbitrary-bundle.js";

interface Validated {
  validate(): void;
}
type Model = new (manifest: object) => Validated;

/** Validators made from the OpenAPI document of Kubernetes and from the CRDs of the planes, by kind. */
const MODELS: Readonly<Record<string, Readonly<Record<string, Model>>>> = {
  kubernetes: { NetworkPolicy: NetworkPolicy as Model },
  cilium: {
    CiliumNetworkPolicy: CiliumNetworkPolicy as Model,
    CiliumClusterwideNetworkPolicy: CiliumClusterwideNetworkPolicy as Model,
  },
  istio: { AuthorizationPolicy: AuthorizationPolicy as Model },
};

for (const [target, kinds] of Object.entries(MODELS)) {
  test(`every ${target} file of 300 random policies is valid by the published schema`, () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(arbitraryBundleRequest, ({ policySet, inventory, options }) => {
        const { files } = TARGETS.get(target)!.render(policySet, inventory, options);
        for (const { path, text } of files.filter((file) => file.path.includes("/"))) {
          const manifest = parse(text) as { kind: string };
          const kind = kinds[manifest.kind];
          assert.ok(kind, `${path}: no schema for ${manifest.kind}`);
          seen.add(manifest.kind);
          assert.doesNotThrow(() => new kind(manifest).validate(), path);
        }
      }),
      { numRuns: 300 },
    );
    assert.deepEqual([...seen].sort(), Object.keys(kinds).sort());
  });
}
