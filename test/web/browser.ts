import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import type { ExplorerSource } from "../../analyzer/explorer.js";
import type { BundleRenderer } from "../../web/api/bundle-files.js";
import { type RunningServer, startServer } from "../../web/api/server.js";
import { companyBundles, NOW_US } from "./company.js";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
const UI_DIR = fileURLToPath(new URL("../../../web/ui/dist", import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** For what a page is to come to; it bounds a hang, on a machine that stands still for many seconds at a time. */
export const PATIENT_MS = 120_000;

/** An explorer that is being served, and what its pages complained of. */
export interface Explorer {
  readonly server: RunningServer;
  /** A page of a browser that has never been here. Console errors and strange requests end up in `complaints`. */
  open(path: string, scheme?: "light" | "dark"): Promise<Page>;
  readonly complaints: string[];
  close(): Promise<void>;
}

export async function serveExplorer(
  source: ExplorerSource,
  bundles: BundleRenderer = companyBundles,
): Promise<Explorer> {
  assert.ok(CHROMIUM !== undefined, "Cannot test in a browser: wanted Debian's chromium");
  assert.ok(existsSync(join(UI_DIR, "index.html")), "Cannot test the page: wanted web/ui/dist/ to be built");
  const options = {
    source,
    bundles,
    targets: ["kubernetes", "nftables"],
    uiDir: UI_DIR,
    version: "0.0.0",
    nowUs: () => NOW_US,
  };
  const server = await startServer({ ...options, listen: { host: "127.0.0.1", port: 0 } });
  const complaints: string[] = [];
  const contexts: { context: BrowserContext; profile: string }[] = [];
  return {
    server,
    complaints,
    async open(path, scheme = "light") {
      const profile = await mkdtemp(join(tmpdir(), "portolan-chromium-"));
      const context = await chromium.launchPersistentContext(profile, {
        executablePath: CHROMIUM,
        headless: true,
        timeout: PATIENT_MS,
        colorScheme: scheme,
        viewport: { width: 1400, height: 900 },
        args: [
          "--no-sandbox",
          "--disable-gpu",
          "--disable-quic",
          "--no-first-run",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync",
        ],
      });
      contexts.push({ context, profile });
      context.setDefaultTimeout(PATIENT_MS);
      context.setDefaultNavigationTimeout(PATIENT_MS);
      const page = context.pages()[0] ?? (await context.newPage());
      page.on("console", (message) => {
        if (message.type() === "error") complaints.push(`${path}: ${message.text()}`);
      });
      page.on("pageerror", (error) => complaints.push(`${path}: ${error.message}`));
      page.on("request", (request) => {
        if (!request.url().startsWith(server.url)) complaints.push(`${path} asked ${request.url()}`);
      });
      await page.goto(new URL(path, server.url).href);
      return page;
    },
    async close() {
      for (const { context, profile } of contexts) {
        await context.close();
        await rm(profile, { recursive: true, force: true, maxRetries: 20 }); // its last processes may still write
      }
      await server.close();
    },
  };
}

interface AxeFinding {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** A page that is still being drawn may have findings that are gone in the end. */
const RESTS_WITHIN_MS = 20_000;

/** What axe finds against WCAG 2.0 to 2.2, levels A and AA, as lines; none is what is wanted. */
export async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  for (const end = Date.now() + RESTS_WITHIN_MS; ; await page.waitForTimeout(500)) {
    const findings = await axeFindingsNow(page);
    if (findings.length === 0 || Date.now() > end) return findings;
  }
}

async function axeFindingsNow(page: Page): Promise<string[]> {
  const findings = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(options: unknown): Promise<{ violations: AxeFinding[] }> } };
    const values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    return (await axe.run({ runOnly: { type: "tag", values } })).violations;
  });
  return findings.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ""}`),
  );
}
