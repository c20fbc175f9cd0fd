import { fileURLToPath } from "node:url";
import type { ExplorerSource } from "../analyzer/explorer.js";
import type { Probes } from "../web/api/probes.js";
import { type RunningServer, startServer } from "../web/api/server.js";
import type { Listen } from "./listen.js";
import { RENDERERS } from "./targets.js";
import { VERSION } from "./version.js";

const UI = fileURLToPath(new URL("../../web/ui/dist", import.meta.url));

export interface ServeOptions {
  readonly probes?: Probes;
  readonly allowedHosts?: readonly string[]; // names, besides addresses and localhost, under which we are reached
}

/** Serves the explorer over `source`; with `nextFree` a port in use gets the next free one. */
export function serveExplorer(
  source: ExplorerSource,
  listen: Listen,
  nextFree: boolean,
  options: ServeOptions = {},
): Promise<RunningServer> {
  return startServer({
    ...options,
    source,
    listen,
    nextFree,
    uiDir: UI,
    version: VERSION,
    targets: [...RENDERERS.keys()],
    bundles: async (target) => {
      const render = RENDERERS.get(target);
      if (render === undefined)
        throw new RangeError(`Cannot render "${target}": wanted ${[...RENDERERS.keys()].join(" or ")}`);
      const { policySet } = await source.proposal();
      return render(policySet, source.inventory(), { mode: "audit" });
    },
  });
}
