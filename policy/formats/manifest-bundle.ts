import { type Bundle, type BundleFile, type ExpressedPolicy, sortFiles } from "../bundle.js";
import { type BundleReadme, renderBundleReadme } from "./bundle-readme.js";
import { yamlText } from "./yaml-text.js";

/** The bundle of a plane that takes manifests: them, the kustomization that lists them, and the README. */
export function manifestBundle(
  manifests: readonly BundleFile[],
  readme: BundleReadme,
  expressed: ExpressedPolicy,
): Bundle {
  const resources = sortFiles(manifests).map((file) => file.path);
  const kustomization = { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", resources };
  const files = [
    ...manifests,
    { path: "kustomization.yaml", text: yamlText(kustomization) },
    { path: "README.md", text: renderBundleReadme(readme) },
  ];
  return { files: sortFiles(files), losses: readme.losses, expressed };
}
