import type { Bundle } from "../../policy/bundle.js";

/** Renders the current proposal for one target; the caller decides which targets there are, and in which mode. */
export type BundleRenderer = (target: string) => Promise<Pick<Bundle, "files" | "losses">>;

const TYPES: Readonly<Record<string, string>> = {
  yaml: "application/yaml; charset=utf-8",
  yml: "application/yaml; charset=utf-8",
  json: "application/json; charset=utf-8",
  md: "text/markdown; charset=utf-8",
};

/** The media type of a bundle's file, by its ending; plain text when it is none we know. */
export function bundleFileType(path: string): string {
  return TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? "text/plain; charset=utf-8";
}

/** A Content-Disposition for a download; anything unusual in the name is replaced. */
export function attachment(name: string): string {
  return `attachment; filename="${name.replace(/[^A-Za-z0-9._-]/g, "-")}"`;
}
