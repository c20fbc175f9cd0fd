import { fileURLToPath } from "node:url";
import type { ExplorerSource } from "../analyzer/explorer.js";
import { type RunningServer, startServer } from "../web/api/server.js";
import type { Listen } from "./listen.js";
import { RENDERERS } from "./targets.js";
import { VERSION } from "./version.js";

const UI = fileURLToPath(new URL("../../web/ui/dist", import.meta.url));

/** Serves the explorer over `source`; with `nextFree` a port in use gets the next free one. */
export function serveExplorer(source: ExplorerSource, listen: Listen, nextFree: boolean): Promise<RunningServer> {
  return startServer({
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
