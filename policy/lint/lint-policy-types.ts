import { formatObject, type ManifestObject } from "../formats/manifest/manifest-objects.js";
import type { Finding } from "./finding.js";

/** What Kubernetes takes the `policyTypes` of a NetworkPolicy to mean, where the author may have meant something else. */
function* lintPolicy(object: ManifestObject): Generator<Finding> {
  const spec = object.node.get("spec");
  if (spec === undefined) return;
  const name = formatObject(object);
  const types =
    spec
      .get("policyTypes")
      ?.items()
      .map((item) => item.text()) ?? [];
  const count = (field: string) => spec.get(field)?.items().length ?? 0;
  if (types.length === 0) {
    if (spec.get("ingress") === undefined && count("egress") > 0) {
      const text = `${name} has egress rules only, yet isolates ingress too, since it has no policyTypes`;
      yield { rule: "accidental-isolation", text, position: spec.position };
    }
    if (spec.get("egress") !== undefined && count("egress") === 0) {
      const text = `${name} has an empty list of egress rules, which isolates nothing without policyTypes`;
      yield { rule: "ignored-rules", text, position: spec.position };
    }
    return;
  }
  for (const [type, field] of [
    ["Ingress", "ingress"],
    ["Egress", "egress"],
  ] as const) {
    if (types.includes(type) || count(field) === 0) continue;
    const text = `${name} has ${field} rules that mean nothing, since its policyTypes lack ${type}`;
    yield { rule: "ignored-rules", text, position: spec.get(field)!.position };
  }
}

/** Findings about `networking.k8s.io/v1` NetworkPolicies that their meaning alone does not show. */
export function lintPolicyTypes(objects: readonly ManifestObject[]): Finding[] {
  const policies = objects.filter(
    ({ kind, apiVersion }) => kind === "NetworkPolicy" && apiVersion.startsWith("networking.k8s.io/"),
  );
  return policies.flatMap((object) => [...lintPolicy(object)]);
}
