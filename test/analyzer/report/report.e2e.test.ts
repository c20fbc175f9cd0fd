import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import test from "node:test";
import { chromium } from "playwright-core";
import { discover } from "../../../analyzer/discovery/discover.js";
import { renderReport } from "../../../analyzer/report/report.js";
import { smallNetwork } from "../discovery/small-network.js";
import { graphOf } from "./graph-of.js";

const PATIENT_MS = 120_000; // bounds a hang, on a machine that stands still for many seconds at a time
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

test("in Chromium the report has its style, logs no complaint, and axe finds nothing in either theme", async () => {
  const { windows, inventory } = smallNetwork({ seed: 1, hours: 24 });
  const gap = {
    collector: "sensor-1",
    fromUs: 0,
    untilUs: 1e15,
    lost: "unknown" as const,
    reason: "drops are not counted",
  };
  const proposal = discover({ windows, inventory, gaps: [gap], samples: () => [] });
  const sensor = {
    collector: "sensor-1",
    firstSeenUs: 0,
    lastSeenUs: 1e15,
    batches: 1,
    flows: 5,
    dropped: "unknown" as const,
  };
  const page = renderReport({
    title: "lab",
    graph: graphOf(windows, proposal),
    proposal,
    sensors: [sensor],
    inventory,
  });
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox"],
    timeout: PATIENT_MS,
  });
  try {
    for (const colorScheme of ["light", "dark"] as const) {
      const tab = await browser.newPage({ colorScheme });
      tab.setDefaultTimeout(PATIENT_MS);
      const complaints: string[] = [];
      tab.on("console", (message) => complaints.push(message.text()));
      tab.on("request", (request) => complaints.push(request.url()));
      await tab.setContent(page);
      const background = await tab.evaluate("getComputedStyle(document.body).backgroundColor");
      assert.equal(background, colorScheme === "dark" ? "rgb(20, 25, 31)" : "rgb(255, 255, 255)");
      assert.deepEqual(complaints, []);
      // The page's own policy forbids scripts, so axe comes in through the debugger.
      await tab.evaluate(AXE);
      const violations = (await tab.evaluate(
        "axe.run().then((result) => result.violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))",
      )) as string[];
      assert.deepEqual(violations, []);
      await tab.close();
    }
  } finally {
    await browser.close();
  }
});
