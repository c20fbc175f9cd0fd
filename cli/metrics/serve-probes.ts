import { lstatSync, unlinkSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { ListenError } from "../../web/api/listen-error.js";
import { PROBE_PATHS, type Probes, probe } from "../../web/api/probes.js";
import { formatListen, type Listen } from "../listen.js";

/** Where the probes are answered: a port, or a socket in the file system for a process without open ports. */
export type ProbesListen = Listen | { readonly socket: string };

export interface ServedProbes {
  readonly address: string; // as URL, or the socket's path
  close(): Promise<void>;
}

const HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/** Answers the probes and nothing else; also for a server that has more to say, such as one on a control socket. */
export function probesListener(probes: Probes): RequestListener {
  return (request, response) => {
    const end = (status: number, type: string, text: string) =>
      response
        .writeHead(status, { ...HEADERS, "content-type": type })
        .end(request.method === "HEAD" ? undefined : text);
    const path = PROBE_PATHS.find((known) => known === request.url?.split("?", 1)[0]);
    request.resume();
    if (request.method !== "GET" && request.method !== "HEAD") return void end(405, "text/plain", "wanted GET\n");
    if (path === undefined) return void end(404, "text/plain", `wanted ${PROBE_PATHS.join(", ")}\n`);
    probe(path, probes).then(
      ({ status, type, text }) => end(status, type, text),
      () => end(500, "text/plain", "the figures could not be read\n"),
    );
  };
}

/**
 * Serves `/healthz`, `/readyz` and `/metrics` by HTTP for a process that has no API.
 * @throws {ListenError} If the port or address cannot be used.
 */
export async function serveProbes(probes: Probes, listen: ProbesListen): Promise<ServedProbes> {
  // A scraper asks a few hundred bytes and goes; who dawdles or asks much is sent away.
  const limits = { maxHeaderSize: 8192, requestTimeout: 5_000, headersTimeout: 5_000, keepAliveTimeout: 5_000 };
  const server = createServer(limits, probesListener(probes));
  server.maxConnections = 64;
  if ("socket" in listen) removeStale(listen.socket);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const { host, port } = "socket" in listen ? { host: listen.socket, port: 0 } : listen;
      reject(new ListenError(host, port, error.code ?? "unknown", error));
    });
    if ("socket" in listen) server.listen(listen.socket, resolve);
    else server.listen(listen.port, listen.host, resolve);
  });
  const address =
    "socket" in listen
      ? listen.socket
      : `http://${formatListen({ host: listen.host, port: (server.address() as AddressInfo).port })}/`;
  return {
    address,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A socket stays in the file system when its process is killed. Nothing but a socket is removed. */
function removeStale(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) unlinkSync(path);
}
