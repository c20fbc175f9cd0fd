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
  postgres: "postgresql",
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

/** What the lab asks of a machine. */
export interface Machine {
  readonly platform: string;
  readonly userId: number | undefined;
  readonly has: (program: string) => boolean; // "postgres" means the server
}

const THIS_MACHINE: Machine = {
  platform: process.platform,
  userId: process.getuid?.(),
  has: (program) => (program === "postgres" ? postgresBin() !== undefined : findProgram(program) !== undefined),
};

/** @throws {LabEnvironmentError} If the machine is not Linux, the user is not root, or a program is missing. */
export function requireLab(machine: Machine = THIS_MACHINE): void {
  if (machine.platform !== "linux") {
    throw new LabEnvironmentError(
      `Cannot build the lab on "${machine.platform}": wanted Linux, for network namespaces`,
    );
  }
  if (machine.userId !== 0) {
    throw new LabEnvironmentError("Cannot build the lab as this user: wanted root, for network namespaces (try sudo)");
  }
  const missing = Object.keys(PACKAGE_OF).filter((program) => !machine.has(program));
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((program) => PACKAGE_OF[program]))].sort().join(" ");
    throw new LabEnvironmentError(
      `Cannot build the lab without ${missing.join(", ")}: wanted apt-get install ${packages}`,
    );
  }
}
