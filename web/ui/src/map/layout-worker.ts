import type { LayoutAnswer } from "../../../api/contract.js";
import { type ChartLayout, layoutChart } from "../../../layout/chart-layout.js";

// Away from the page's own thread: a large graph takes a second, and the page must stay answerable.

/** The part of a worker's global scope that is used here. */
interface Scope {
  onmessage: ((event: MessageEvent<{ readonly url: string; readonly turn: number }>) => void) | null;
  postMessage(message: LayoutReply): void;
}

export type LayoutReply =
  | { readonly kind: "laid-out"; readonly turn: number; readonly layout: ChartLayout }
  | { readonly kind: "failed"; readonly turn: number; readonly detail: string };

const scope = self as unknown as Scope;
const kept = new Map<string, ChartLayout>(); // by question, so that what was placed stays while the page is open

scope.onmessage = async ({ data: { url, turn } }) => {
  try {
    const reply = await fetch(url);
    if (!reply.ok) throw new Error(`the server answered with status ${reply.status}`);
    const { nodes, links } = (await reply.json()) as LayoutAnswer;
    const before = kept.get(url);
    const layout = layoutChart(before === undefined ? { nodes, links } : { nodes, links, kept: before });
    kept.set(url, layout);
    scope.postMessage({ kind: "laid-out", turn, layout });
  } catch (error) {
    scope.postMessage({ kind: "failed", turn, detail: error instanceof Error ? error.message : String(error) });
  }
};
