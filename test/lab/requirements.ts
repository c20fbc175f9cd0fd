import { readdirSync } from "node:fs";
import { join } from "node:path";
import { findProgram, LabEnvironmentError } from "./shell.js";

/** Program -> the Debian (and Ubuntu) package it comes in. */
const PACKAGE_OF: Readonly<Record<string, string>> = {
  curl: "curl",
  dbclient: "dropbear-bin",
  dnsmasq: "dnsmasq-base",
  dropbear: "dropbear-bin",
  getent: "libc-bin",
  ip: "iproute2",
  nginx: "nginx-light",
  nmap: "nmap",
  openssl: "openssl",
  pg_dumpall: "postgresql-client",
  ping: "iputils-ping",
  psql: "postgresql-client",
  "redis-cli": "redis-tools",
  "redis-server": "redis-server",
  setpriv: "util-linux",
  tcpdump: "tcpdump",
};

const POSTGRES_HOME = "/usr/lib/postgresql";

/** The newest installed PostgreSQL server's bin folder, or `undefined`. */
export function postgresBin(): string | undefined {
  try {
    const versions = readdirSync(POSTGRES_HOME).filter((name) => /^\d+$/.test(name));
    const found = versions
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(POSTGRES_HOME, version, "bin"))
      .find((bin) => readdirSync(bin).includes("initdb"));
    return found;
  } catch {
    return undefined;
  }
}

/** @throws {LabEnvironmentError} If this is not root on Linux with every program the company runs. */
export function requireLab(): void {
  if (process.platform !== "linux") {
    throw new LabEnvironmentError(
      `Cannot build the lab on "${process.platform}": wanted Linux, for network namespaces`,
    );
  }
  if (process.getuid?.() !== 0) {
    throw new LabEnvironmentError("Cannot build the lab as this user: wanted root, for network namespaces (try sudo)");
  }
  const missing = Object.entries(PACKAGE_OF).filter(([program]) => findProgram(program) === undefined);
  if (postgresBin() === undefined) missing.push(["postgres", "postgresql"]);
  if (missing.length > 0) {
    const packages = [...new Set(missing.map(([, name]) => name))].sort().join(" ");
    const programs = missing.map(([program]) => program).join(", ");
    throw new LabEnvironmentError(`Cannot build the lab without ${programs}: wanted apt-get install ${packages}`);
  }
}
