import { join } from "node:path";
import { dnsName, hostNamed, type LabHost, PARTNER_NAME, WEB_NAME } from "./company.js";
import { EXPORTER_PORT, MAIL_PORT } from "./intent.js";

/** A real client program with its arguments; it ends with status 0 exactly when the server answered. */
export interface ClientCall {
  readonly program: string;
  readonly args: readonly string[];
}

export interface CallOptions {
  readonly family?: 4 | 6; // absent: the program chooses among the addresses that the name has
  readonly fromAddress?: string; // one of several addresses of the client
  readonly folder: string; // of the certificates and for files that clients write
}

/** Seconds until a client gives up. A refusal comes at once all the same; an answer may take as long as the machine does. */
const PATIENCE_S = 60;
const CURL = ["--silent", "--show-error", "--fail", "--max-time", String(PATIENCE_S)];
const PG_TIMEOUT = `connect_timeout=${PATIENCE_S}`;

export function curl(url: string, options: CallOptions, more: readonly string[] = []): ClientCall {
  const family = options.family === undefined ? [] : [`-${options.family}`];
  const source = options.fromAddress === undefined ? [] : ["--interface", options.fromAddress];
  const authority = ["--cacert", join(options.folder, "ca.pem"), "--output", "/dev/null"];
  return { program: "curl", args: [...CURL, ...family, ...source, ...authority, ...more, url] };
}

/** One query as the role `shop`, over the name or, when the family matters, the address of the server. */
export function psql(server: LabHost, sql: string, options: CallOptions): ClientCall {
  const at = options.family === undefined ? "" : ` hostaddr=${addressOf(server, options.family)}`;
  const target = `host=${dnsName(server)}${at} user=shop dbname=shop sslmode=disable ${PG_TIMEOUT}`;
  return { program: "psql", args: ["--no-psqlrc", "--quiet", "--tuples-only", "--command", sql, target] };
}

export function redis(server: LabHost, command: readonly string[], options: CallOptions): ClientCall {
  const at = options.family === undefined ? dnsName(server) : addressOf(server, options.family);
  // Without -e, redis-cli ends with 0 although the server answered with an error.
  return { program: "redis-cli", args: ["-e", "-h", at, ...command] };
}

/** A command over SSH with the company's key. Twice -y: the host key is new in every lab. */
export function ssh(server: LabHost, options: CallOptions): ClientCall {
  const at = options.family === undefined ? dnsName(server) : addressOf(server, options.family);
  return { program: "dbclient", args: ["-y", "-y", "-i", join(options.folder, "ssh.key"), `root@${at}`, "uptime"] };
}

export function ping(server: LabHost, family: 4 | 6): ClientCall {
  return { program: "ping", args: [`-${family}`, "-n", "-c", "1", "-W", "20", addressOf(server, family)] };
}

export function addressOf(host: LabHost, family: 4 | 6): string {
  return family === 4 ? host.v4 : host.v6;
}

/** An address as it stands in a URL. */
export function urlHost(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/** A request to one web server under the shared name, so that SNI and Host carry the name. */
export function webCall(server: LabHost, scheme: "http" | "https", path: string, options: CallOptions): ClientCall {
  const port = scheme === "https" ? 443 : 80;
  const address = urlHost(addressOf(server, options.family ?? 4));
  return curl(`${scheme}://${WEB_NAME}${path}`, options, ["--resolve", `${WEB_NAME}:${port}:${address}`]);
}

/**
 * The client program that a person would take to try one edge by hand.
 * @throws {RangeError} If the lab has no program for this service.
 */
export function tryEdge(
  edge: { readonly server: string; readonly protocol: string; readonly port: number },
  options: CallOptions & { readonly family: 4 | 6 },
): ClientCall {
  if (edge.server === "partner") return curl(`https://${PARTNER_NAME}/`, options);
  const server = hostNamed(edge.server);
  const address = addressOf(server, options.family);
  switch (`${edge.protocol}/${edge.port}`) {
    case "icmp/8":
      return ping(server, 4);
    case "icmpv6/128":
      return ping(server, 6);
    case "udp/53":
      return { program: "getent", args: [options.family === 4 ? "ahostsv4" : "ahostsv6", WEB_NAME] };
    case "tcp/5432":
      return psql(server, "select 1", options);
    case "tcp/22":
      return ssh(server, options);
    case "tcp/6379":
      return redis(server, ["ping"], options);
    case "tcp/443":
      return webCall(server, "https", "/", options);
    case "tcp/80":
      return webCall(server, "http", "/", options);
    case "tcp/8443":
      return curl(`https://${dnsName(server)}:8443/health`, options);
    case "tcp/8080":
    case `tcp/${MAIL_PORT}`:
      return curl(`http://${urlHost(address)}:${edge.port}/health`, options);
    case `tcp/${EXPORTER_PORT}`:
      return curl(`http://${urlHost(address)}:${EXPORTER_PORT}/metrics`, options);
    default:
      throw new RangeError(`Cannot try ${edge.protocol}/${edge.port}: no client program of the lab speaks to it`);
  }
}
