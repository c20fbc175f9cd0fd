import { InvalidArgumentError, Option } from "commander";

/** Where the explorer is served. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

export const DEFAULT_LISTEN: Listen = { host: "127.0.0.1", port: 8480 };

/** Reads `host:port`, `[v6]:port`, `:port` or a bare port. Only 127.0.0.1 is meant where no host is given. */
export function parseListen(text: string): Listen {
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65535) {
    throw new InvalidArgumentError("wanted HOST:PORT such as 127.0.0.1:8480 or [::1]:8480");
  }
  return { host: match[1] ?? (match[2] === undefined || match[2] === "" ? DEFAULT_LISTEN.host : match[2]), port };
}

export function formatListen({ host, port }: Listen): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

export function listenOption(description: string): Option {
  return new Option("--listen <host:port>", description)
    .argParser(parseListen)
    .default(DEFAULT_LISTEN, formatListen(DEFAULT_LISTEN));
}
