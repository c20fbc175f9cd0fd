import { LineCounter, parseAllDocuments } from "yaml";
import { gatherFaults, ManifestError } from "./manifest-error.js";
import { ManifestNode } from "./manifest-node.js";

/** A file that was read elsewhere. `path` is how people know it. */
export interface ManifestFile {
  readonly path: string;
  readonly text: string;
}

/** An object of a cluster as a manifest states it. */
export interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string | undefined; // as written; `undefined` when it is not
  readonly metadata: ManifestNode;
  readonly node: ManifestNode; // all of it
}

/** `kind namespace/name` or `kind name`, for sentences about the object. */
export function formatObject({ kind, name, namespace }: Pick<ManifestObject, "kind" | "name" | "namespace">): string {
  return `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

function documentsOf({ path, text }: ManifestFile): ManifestNode[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  if (!Array.isArray(documents)) return [];
  return gatherFaults(
    documents.map((document) => () => {
      const fault = document.errors[0];
      if (fault !== undefined) {
        const { line, col } = lines.linePos(fault.pos[0]);
        const complaint = fault.message.split("\n")[0]?.replace(/:$/, "");
        throw new ManifestError({ path, line, column: col }, `Cannot parse YAML: ${complaint}`);
      }
      return new ManifestNode({ path, document, lines }, document.contents, "");
    }),
  );
}

/** What the items of a list are when they do not say so themselves: `NamespaceList` holds `Namespace`s. */
interface Heading {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Files that tools keep beside manifests: of Kustomize, and a Helm chart's description. */
function isOfTools(apiVersion: string | undefined, fields: ReadonlyMap<string, ManifestNode>): boolean {
  if (apiVersion?.startsWith("kustomize.config.k8s.io/") === true) return true;
  return !fields.has("kind") && !fields.has("metadata") && fields.has("name") && fields.has("version");
}

/** A document without `apiVersion` and `kind` is no manifest, so it holds no objects; with only one of them it is broken. */
function objectsIn(node: ManifestNode, heading?: Heading): ManifestObject[] {
  if (node.isNull || !node.isMapping) return [];
  const fields = node.fields();
  const kind = fields.get("kind")?.text() ?? heading?.kind;
  const apiVersion = fields.get("apiVersion")?.text() ?? heading?.apiVersion;
  if (kind === undefined && apiVersion === undefined) return [];
  if (isOfTools(apiVersion, fields)) return [];
  if (kind === undefined || apiVersion === undefined)
    throw node.error("Cannot read object: wanted apiVersion and kind");
  const items = fields.get("items") ?? fields.get("Items"); // the API server ignores the case of field names, and so do files
  if (items !== undefined && kind.endsWith("List")) {
    const inherited = kind === "List" ? undefined : { apiVersion, kind: kind.slice(0, -"List".length) };
    return gatherFaults(items.items().map((item) => () => objectsIn(item, inherited))).flat();
  }
  const metadata = fields.get("metadata");
  const name = metadata?.get("name");
  if (metadata === undefined || name === undefined) throw node.error(`Cannot read ${kind}: wanted metadata.name`);
  const namespace = metadata.get("namespace");
  const isNamespaced = namespace !== undefined && !namespace.isNull;
  return [
    { apiVersion, kind, name: name.text(), namespace: isNamespaced ? namespace.text() : undefined, metadata, node },
  ];
}

/**
 * All objects in the files, in order: YAML or JSON, several documents to a file, and lists of any kind taken apart.
 * Documents that are no manifests are passed over.
 * @throws {ManifestErrors} With every document that is not YAML, and every object without a kind or a name.
 */
export function readManifestObjects(files: readonly ManifestFile[]): ManifestObject[] {
  const documents = gatherFaults(files.map((file) => () => documentsOf(file))).flat();
  return gatherFaults(documents.map((node) => () => objectsIn(node))).flat();
}
