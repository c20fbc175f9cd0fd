import type { Area } from "./area.js";
import { runNetpolAnalyzer } from "./netpol-analyzer.js";

/** Policies whose meaning other programs have computed. */
export const policiesArea: Area = {
  name: "policies",
  async run(dataDir) {
    return runNetpolAnalyzer(dataDir);
  },
};
