import type { FastifyInstance } from "fastify";
import { type ApiOptions, createApi } from "./app.js";
import { authority, ListenError } from "./listen-error.js";

export interface ServerOptions extends ApiOptions {
  readonly listen: { readonly host: string; readonly port: number }; // port 0: any free one
  readonly nextFree?: boolean; // a port in use gets the next free one
  readonly onListening?: (url: string) => void;
}

export interface RunningServer {
  readonly url: string;
  close(): Promise<void>;
}

const NEXT_PORTS = 50;

async function listenSomewhere(app: FastifyInstance, host: string, port: number, tries: number): Promise<number> {
  for (let next = port; ; next++) {
    try {
      await app.listen({ host, port: next });
      const address = app.server.address();
      return typeof address === "object" && address !== null ? address.port : next;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "unknown";
      const isLast = next >= port + tries || next >= 65535;
      if (code !== "EADDRINUSE" || port === 0 || isLast) throw new ListenError(host, port, code, error);
    }
  }
}

/**
 * Serves the explorer until closed. Whoever can reach `listen` can read everything, so it is the caller's to choose more
 * than 127.0.0.1.
 * @throws {ListenError} If the port is in use (and, with `nextFree`, so are the ones after it) or not ours to take.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host, port } = options.listen;
  const app = await createApi({ ...options, allowedHosts: [...(options.allowedHosts ?? []), host] });
  try {
    const taken = await listenSomewhere(app, host, port, options.nextFree === true ? NEXT_PORTS : 0);
    const url = `http://${authority(host, taken)}/`;
    options.onListening?.(url);
    return { url, close: () => app.close() };
  } catch (error) {
    await app.close();
    throw error;
  }
}
