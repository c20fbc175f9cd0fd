import { HOSTS, type LabHost, workloadId } from "./company.js";
import type { ClientCall } from "./exercise.js";
import type { IntendedEdge } from "./intent.js";

export const SCANNER = "kiosk-1";

const PORTS = "22,23,80,443,3306,3389,5432,6379,8080,8443,9100,9200";

/** Some of these addresses have nobody behind them. */
const TARGETS = [
  "10.20.1.11-13",
  "10.20.1.21-22",
  "10.20.1.31",
  "10.20.1.40",
  "10.20.2.11-14",
  "10.20.2.21",
  "10.20.2.31-32",
  "10.20.3.11-16",
  "10.20.4.20-24",
];

const PACE = ["-n", "-Pn", "--max-retries", "0", "-oG", "-"];

/** What the compromised kiosk runs, one after the other: half-open, full connections, version probes, IPv6. */
export function scans(ratePerSecond: number): readonly ClientCall[] {
  const rate = ["--max-rate", String(ratePerSecond)];
  const targets6 = HOSTS.filter((host) => host.name.endsWith("-1") && host.name !== SCANNER).map((host) => host.v6);
  return [
    { program: "nmap", args: [...PACE, ...rate, "-sS", "-p", PORTS, ...TARGETS] },
    { program: "nmap", args: [...PACE, ...rate, "-sT", "-p", "22,80,5432,6379", ...TARGETS] },
    {
      program: "nmap",
      args: [...PACE, "-sV", "--version-intensity", "0", "-p", "80,6379", "10.20.1.11", "10.20.2.21"],
    },
    { program: "nmap", args: [...PACE, ...rate, "-6", "-sT", "-p", "22,80,5432", ...targets6] },
  ];
}

/** Reads nmap's grepable output: which workload answered on which port, and how. Closed and open ports alike. */
export function parseScan(text: string, holders: readonly LabHost[]): readonly IntendedEdge[] {
  const edges: IntendedEdge[] = [];
  for (const line of text.split("\n")) {
    const match = /^Host: (\S+) .*\tPorts: ([^\t]*)/.exec(line);
    const server = holders.find((host) => host.v4 === match?.[1] || host.v6 === match?.[1]);
    if (match === null || server === undefined) continue;
    for (const field of (match[2] ?? "").split(", ")) {
      const [port, state] = field.trim().split("/");
      if (state !== "open" && state !== "closed") continue;
      edges.push({
        client: `office/${SCANNER}`,
        server: workloadId(server),
        protocol: "tcp",
        port: Number(port),
        note: state === "open" ? "scanner, the port answered" : "scanner, refused",
      });
    }
  }
  return edges;
}
