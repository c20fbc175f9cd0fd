import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import { IntakeTotals } from "../../../analyzer/ingest/intake-totals.js";
import { alertMetrics } from "../../../cli/metrics/alert-metrics.js";
import { analyzerMetrics } from "../../../cli/metrics/analyzer-metrics.js";
import { collectorMetrics } from "../../../cli/metrics/collector-metrics.js";
import { enforcerMetrics } from "../../../cli/metrics/enforcer-metrics.js";
import type { Family, Measured } from "../../../cli/metrics/family.js";
import { metricsRegistry } from "../../../cli/metrics/registry.js";
import { spoolMetrics } from "../../../cli/metrics/spool-metrics.js";

const PAGE = new URL("../../../../docs/metrics.md", import.meta.url);

const PARTS: Readonly<Record<string, readonly Measured[]>> = {
  collector: collectorMetrics({
    isCapturing: () => [["eth0", true]],
    totals: () => undefined,
    sendFailures: () => 0,
  }),
  spool: spoolMetrics({ status: () => ({}) as never, sentFlows: () => 0 }),
  analyzer: analyzerMetrics({
    revision: () => 1,
    intake: () => new IntakeTotals().figures(),
    deadLetters: () => ({ byCode: {}, total: 0, unkept: 0 }),
    storeFault: () => undefined,
    storePath: ":memory:",
  }),
  alerts: alertMetrics(() => undefined),
  enforcer: enforcerMetrics(() => ({
    ...{ kernel: undefined, obstacles: [], reports: { waiting: 0, lost: 0 }, countedUs: undefined },
    ...{ incidents: new Map(), scopes: [] },
  })),
};

type Row = Pick<Family, "name" | "help" | "labels"> & { readonly kind: string };

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ name, kind, labels, help }) => {
    const labelled = labels.map((label) => `\`${label}\``).join(", ");
    return `| \`${name}\` | ${kind} | ${labelled} | ${help} |\n`;
  });
  return `| name | kind | labels | meaning |\n|---|---|---|---|\n${lines.join("")}`;
}

/** The tables of the page, as the registry has them. */
async function tables(): Promise<Record<string, string>> {
  const registry = metricsRegistry("run", "0", Object.values(PARTS).flat());
  const all = (await registry.getMetricsAsJSON()).map(
    ({ name, help, type }): Row => ({ name, help: help.replace(/\.$/, ""), kind: String(type), labels: [] }),
  );
  const isOurs = ({ name }: Row) => name.startsWith("portolan_");
  const inParts = new Set(Object.values(PARTS).flatMap((part) => part.map(({ family }) => family.name)));
  return {
    process: table(
      all
        .filter((row) => isOurs(row) && !inParts.has(row.name))
        .map((row) => ({ ...row, labels: ["version", "process"] })),
    ),
    ...Object.fromEntries(Object.entries(PARTS).map(([name, part]) => [name, table(part.map(({ family }) => family))])),
    node: table(all.filter((row) => !isOurs(row)).map((row) => ({ ...row, labels: [] }))),
  };
}

test("docs/metrics.md lists the metrics that there are, with kind, labels and meaning, and no others", async () => {
  const page = readFileSync(PAGE, "utf8");
  let wanted = page;
  for (const [name, text] of Object.entries(await tables())) {
    const place = new RegExp(`(<!-- metrics: ${name} -->\n\n?)(\\|[^\n]*\n)*\n?`);
    assert.match(page, place);
    wanted = wanted.replace(place, `<!-- metrics: ${name} -->\n\n${text}\n`);
  }
  if (process.env.PORTOLAN_UPDATE_GOLDEN === "1") writeFileSync(PAGE, wanted);
  assert.equal(readFileSync(PAGE, "utf8"), wanted, "run once with PORTOLAN_UPDATE_GOLDEN=1 and review the change");
});

test("metrics have names and units as Prometheus wants them, and speak of one thing each", () => {
  const families = Object.values(PARTS).flatMap((part) => part.map(({ family }) => family));
  assert.equal(new Set(families.map(({ name }) => name)).size, families.length);
  for (const { name, kind, labels } of families) {
    assert.match(name, /^portolan_[a-z]+(_[a-z]+)+$/);
    assert.equal(name.endsWith("_total"), kind === "counter", name);
    for (const label of labels) assert.match(label, /^[a-z_]+$/);
  }
});
