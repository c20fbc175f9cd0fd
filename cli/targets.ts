import type { Renderer } from "../policy/bundle.js";
import { renderKubernetes } from "../policy/formats/kubernetes/render.js";
import { renderNftables } from "../policy/formats/nftables/render.js";

/** The planes a policy can be written for, by the name that users type. */
export const RENDERERS: ReadonlyMap<string, Renderer> = new Map([
  ["kubernetes", renderKubernetes],
  ["nftables", renderNftables],
]);
