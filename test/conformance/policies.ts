import { PLANE_READERS } from "../../policy/formats/plane.js";
import type { Area } from "./area.js";
import { runHandWritten } from "./hand-written.js";
import { runNetpolAnalyzer } from "./netpol-analyzer.js";
import { runNetworkConfigAnalyzer } from "./network-config-analyzer.js";

const READERS = new Map([
  ["k8s_testcases", PLANE_READERS.get("kubernetes")!],
  ["calico_testcases", PLANE_READERS.get("calico")!],
  ["istio_testcases", PLANE_READERS.get("istio")!],
]);

/** Policies whose meaning other programs have computed. */
export const policiesArea: Area = {
  name: "policies",
  async run(dataDir) {
    const results = [
      runNetpolAnalyzer(dataDir),
      runNetworkConfigAnalyzer(dataDir, READERS),
      runHandWritten(dataDir),
    ].filter((result) => result !== undefined);
    if (results.length === 0) return undefined;
    return {
      counts: results.flatMap((result) => result.counts),
      disagreements: results.flatMap((result) => result.disagreements),
    };
  },
};
