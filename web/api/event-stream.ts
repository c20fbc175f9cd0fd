import type { ServerResponse } from "node:http";
import type { ExplorerSource } from "../../analyzer/explorer.js";

const HEARTBEAT_MS = 15_000;
const PACE_MS = 1_000; // a busy source changes often; a page wants to know once a second at most
export const LISTENER_LIMIT = 64;

/** Tells open pages (server-sent events) when the data has changed. */
export class RevisionEvents {
  private readonly listeners = new Set<ServerResponse>();
  private readonly heartbeat: NodeJS.Timeout;
  private pending: NodeJS.Timeout | undefined;
  private readonly unsubscribe: () => void;

  constructor(private readonly source: Pick<ExplorerSource, "revision" | "onChange">) {
    this.unsubscribe = source.onChange(() => this.schedule());
    this.heartbeat = setInterval(() => this.broadcast(": still here\n\n"), HEARTBEAT_MS);
    this.heartbeat.unref();
  }

  isFull(): boolean {
    return this.listeners.size >= LISTENER_LIMIT;
  }

  /** Takes over a response whose headers are written, until the page goes away. */
  add(response: ServerResponse): void {
    this.listeners.add(response);
    response.on("close", () => this.listeners.delete(response));
    response.write(`retry: 2000\n\n${this.message()}`);
  }

  close(): void {
    this.unsubscribe();
    clearInterval(this.heartbeat);
    clearTimeout(this.pending);
    for (const response of this.listeners) response.end();
    this.listeners.clear();
  }

  private message(): string {
    const revision = this.source.revision();
    return `event: revision\nid: ${revision}\ndata: {"revision":${revision}}\n\n`;
  }

  private schedule(): void {
    if (this.pending !== undefined) return;
    this.pending = setTimeout(() => {
      this.pending = undefined;
      this.broadcast(this.message());
    }, PACE_MS);
    this.pending.unref();
  }

  private broadcast(text: string): void {
    for (const response of this.listeners) response.write(text);
  }
}
