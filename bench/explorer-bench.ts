import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Page } from "playwright-core";
import { companyBundles } from "../test/web/company.js";
import { largeSource } from "../test/web/large-graph.js";
import { startServer } from "../web/api/server.js";
import { type Bench, figure } from "./bench.js";

const CHROMIUM = "/usr/bin/chromium";
const UI_DIR = fileURLToPath(new URL("../../web/ui/dist", import.meta.url));
const FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"];

interface Case {
  readonly name: string;
  readonly nodes: number;
  readonly edges: number;
  readonly path: string;
}

const CASES: readonly Case[] = [
  { name: "2,000 / 10,000, gathered", nodes: 2000, edges: 10_000, path: "/explore" },
  { name: "2,000 / 10,000, all open", nodes: 2000, edges: 10_000, path: "/explore?open=*" },
  { name: "5,000 / 15,000, all open", nodes: 5000, edges: 15_000, path: "/explore?open=*" },
  { name: "20,000 / 60,000, gathered", nodes: 20_000, edges: 60_000, path: "/explore" },
];

/** Runs before the page's own code: notes tasks that kept the page from answering. */
const WATCH_TASKS = `
  window.longest = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.longest = Math.max(window.longest, entry.duration);
  }).observe({ type: "longtask", buffered: true });`;

/** Frames while \`act\` runs, as their lengths in ms. */
const FRAMES = `(() => {
  window.frames_ = [];
  let before = performance.now();
  let isOn = true;
  const next = (now) => {
    window.frames_.push(now - before);
    before = now;
    if (isOn) requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
  window.stopFrames = () => {
    isOn = false;
    return window.frames_.slice(2);
  };
})()`;

const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? 0;

async function pan(page: Page): Promise<{ fps: number; p95: number }> {
  const box = await page.locator(".chart canvas").boundingBox();
  const [x, y] = [(box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + (box?.height ?? 0) / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.evaluate(FRAMES);
  for (let step = 1; step <= 60; step++) await page.mouse.move(x + step * 3, y + step * 2);
  const frames = (await page.evaluate("window.stopFrames()")) as number[];
  await page.mouse.up();
  return { fps: 1000 / (frames.reduce((sum, ms) => sum + ms, 0) / frames.length), p95: percentile(frames, 0.95) };
}

/** From a key press in the index to the frame after the selection has been painted, in ms. */
async function select(page: Page): Promise<number> {
  await page.focus(".tree");
  const times: number[] = [];
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press("j");
    const ms = (await page.evaluate(`new Promise((done) => {
      const start = performance.now();
      document.querySelector(".tree").dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
      requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
    })`)) as number;
    times.push(ms);
  }
  return percentile(times, 0.95);
}

/** How the explorer holds up on large graphs, in a browser without a graphics card. */
export const explorerBench: Bench = {
  name: "explorer",
  about: "the page in Chromium on large graphs: first paint, panning, selecting",
  async run({ isQuick, folder, say }) {
    if (!existsSync(CHROMIUM) || !existsSync(join(UI_DIR, "index.html"))) {
      say("left out: wanted chromium and a built web/ui/dist/");
      return [];
    }
    const rows: string[][] = [];
    for (const one of isQuick ? CASES.slice(0, 2) : CASES) {
      say(one.name);
      const source = largeSource(one.nodes, one.edges);
      const options = { source, bundles: companyBundles, targets: ["kubernetes"], uiDir: UI_DIR, version: "bench" };
      const server = await startServer({ ...options, listen: { host: "127.0.0.1", port: 0 } });
      const profile = join(folder, `chromium-${rows.length}`);
      const settings = {
        executablePath: CHROMIUM,
        headless: true,
        args: FLAGS,
        viewport: { width: 1400, height: 900 },
      };
      const context = await chromium.launchPersistentContext(profile, settings);
      try {
        const page = context.pages()[0] ?? (await context.newPage());
        await page.addInitScript(WATCH_TASKS);
        const started = performance.now();
        await page.goto(new URL(one.path, server.url).href);
        await page.waitForSelector(".chart[data-layout]");
        await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
        const painted = performance.now() - started;
        await page.waitForTimeout(500);
        const longest = (await page.evaluate("window.longest")) as number;
        const { fps, p95 } = await pan(page);
        const selected = await select(page);
        const heap = (await page.evaluate("performance.memory.usedJSHeapSize / 1e6")) as number;
        const figures = [painted / 1000, longest, fps, p95, selected, heap];
        rows.push([one.name, ...figures.map((value, i) => figure(value, i === 0 ? 2 : 0))]);
      } finally {
        await context.close();
        await server.close();
      }
    }
    return [
      {
        title: "Explorer in Chromium, software rendering, 1400 x 900",
        columns: [
          "nodes / edges",
          "painted s",
          "longest task ms",
          "pan fps",
          "p95 frame ms",
          "p95 select ms",
          "heap MB",
        ],
        rows,
        notes: [
          "Wanted: painted <= 6 s, no task over 100 ms, >= 45 fps, p95 frame <= 34 ms, select <= 100 ms, heap <= 100 MB.",
        ],
      },
    ];
  },
};
