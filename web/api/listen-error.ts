/** How an address and a port are written in a URL. */
export function authority(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The port or address cannot be used; `code` is the system's, e.g. `EADDRINUSE`. */
export class ListenError extends Error {
  constructor(
    host: string,
    port: number,
    readonly code: string,
    cause: unknown,
  ) {
    const wanted =
      code === "EADDRINUSE"
        ? "a port that is not in use"
        : code === "EACCES"
          ? "a port we may use"
          : "an address of this host";
    super(`Cannot listen on "${authority(host, port)}": wanted ${wanted}`, { cause });
    this.name = "ListenError";
  }
}
