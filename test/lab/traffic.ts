import {
  dnsName,
  HOSTS,
  hostNamed,
  type LabHost,
  OUTSIDE,
  OUTSIDE_KNOCKER,
  PAY_NAME,
  WEB_NAME,
  workloadId,
} from "./company.js";
import {
  addressOf,
  type CallOptions,
  type ClientCall,
  curl,
  ping,
  psql,
  redis,
  ssh,
  tryEdge,
  urlHost,
  webCall,
} from "./exercise.js";
import { CLOSED_PORT, EXPORTER_PORT, type IntendedEdge, SSH_HOSTS } from "./intent.js";

/** A client program that runs again and again; `round` counts from 0. */
export interface Habit {
  readonly host: string; // where it runs: a host's name, or "beyond"
  readonly periodMs: number; // wanted; shorter in short runs
  readonly leastRounds: number; // so that every edge it stands for occurs
  readonly mostRounds?: number; // absent: as many as the time holds
  readonly life: LabHost["life"];
  readonly call: (round: number) => ClientCall;
  /** The edges that a success proves; absent when another log proves them. Gets what the program printed. */
  readonly proves?: (round: number, stdout: string) => readonly Omit<IntendedEdge, "note">[];
}

const MINUTE = 60_000;

function pick<T>(list: readonly T[], index: number): T {
  return list[index % list.length] as T;
}

function familyOf(round: number): 4 | 6 {
  return round % 2 === 0 ? 4 : 6;
}

/** Everything that the company's and the outside's clients do, apart from the scanner. */
export function habits(folder: string): readonly Habit[] {
  return [
    ...customers(folder),
    ...desks(folder),
    ...workers(folder),
    ...dataHosts(folder),
    ...scrapes(folder),
    ...probes(folder),
  ];
}

/** A habit of one client towards one server over TCP. */
function towards(
  client: string,
  server: LabHost,
  port: number,
  periodMs: number,
  call: (round: number) => ClientCall,
  more: { readonly life?: LabHost["life"]; readonly leastRounds?: number } = {},
): Habit {
  const edge = { client: workloadId(hostNamed(client)), server: workloadId(server), protocol: "tcp" as const, port };
  return {
    host: client,
    periodMs,
    leastRounds: more.leastRounds ?? 2,
    life: more.life ?? hostNamed(client).life,
    call,
    proves: () => [edge],
  };
}

/** Strangers buy at the shop: TLS, sometimes plain HTTP, by IPv4 and IPv6, from several addresses. */
function customers(folder: string): readonly Habit[] {
  const web = [hostNamed("web-1"), hostNamed("web-2")];
  const own = (family: 4 | 6) =>
    OUTSIDE.addresses.filter((text) => text.includes(":") === (family === 6) && text !== OUTSIDE_KNOCKER);
  const paths = ["/api/products", "/api/orders", "/api/orders", "/api/products", "/"];
  const visit = (scheme: "http" | "https", periodMs: number, leastRounds: number): Habit => ({
    host: "beyond",
    periodMs,
    leastRounds,
    life: "whole",
    call: (round) => {
      const family = familyOf(round >> 1);
      const fromAddress = pick(own(family), (round >> 2) * 2 + (round & 1));
      const options: CallOptions = { folder, family, fromAddress };
      const path = scheme === "http" ? "/" : pick(paths, round >> 1);
      return webCall(pick(web, round), scheme, path, options);
    },
    proves: (round) => [
      {
        client: OUTSIDE.name,
        server: workloadId(pick(web, round)),
        protocol: "tcp",
        port: scheme === "https" ? 443 : 80,
      },
    ],
  });
  const knock: Habit = {
    host: "beyond",
    periodMs: 5 * MINUTE,
    leastRounds: 4,
    life: "whole",
    call: (round) => {
      const address = pick(web, round).v4;
      return curl(`http://${address}:${pick([22, 3389], round >> 1)}/`, { folder, fromAddress: OUTSIDE_KNOCKER });
    },
  };
  return [visit("https", 2.5 * MINUTE, 24), visit("http", 6 * MINUTE, 4), knock];
}

/** Employees open the shop by its shared name and get whichever front end DNS names first. */
function desks(folder: string): readonly Habit[] {
  // Two pages in a row, because the resolver takes turns: in one long rhythm a desk might meet the same front end always.
  const browse = ["desk-1", "desk-2"].map(
    (client): Habit => ({
      host: client,
      periodMs: 12 * MINUTE,
      leastRounds: 4,
      life: "whole",
      call: () => {
        const family = client === "desk-1" ? 4 : 6;
        const page = `https://${WEB_NAME}/api/products`;
        const { program, args } = curl(page, { folder, family }, ["--write-out", "%{remote_ip}\\n"]);
        return { program: "sh", args: ["-c", '"$@" && "$@"', "sh", program, ...args] };
      },
      proves: (_, stdout) =>
        HOSTS.filter((host) => stdout.includes(`${host.v4}\n`) || stdout.includes(`${host.v6}\n`)).map((server) => ({
          client: `office/${client}`,
          server: workloadId(server),
          protocol: "tcp",
          port: 443,
        })),
    }),
  );
  const replica = hostNamed("db-2");
  const report = "select count(*), sum(amount) from ledger";
  return [
    ...browse,
    {
      host: "desk-2",
      periodMs: 24 * 60 * MINUTE,
      leastRounds: 1,
      mostRounds: 1,
      life: "whole",
      call: () => ssh(hostNamed("api-1"), { folder }),
    },
    towards("analyst-1", replica, 5432, 7 * MINUTE, (round) =>
      psql(replica, report, { folder, ...(round % 3 === 0 ? { family: 4 } : {}) }),
    ),
  ];
}

/** The address that changes hands: first it makes thumbnails, later it sends mail. */
function workers(folder: string): readonly Habit[] {
  const cache = hostNamed("cache-1");
  const database = hostNamed("db-1");
  const fetch = ["api-1", "api-2"].map((name) => {
    const api = hostNamed(name);
    return towards("worker-a", api, 8080, 5 * MINUTE, () => curl(`http://${dnsName(api)}:8080/pictures`, { folder }));
  });
  return [
    towards("worker-a", cache, 6379, 3 * MINUTE, () => redis(cache, ["lpop", "thumbnails"], { folder })),
    ...fetch,
    towards("worker-b", database, 5432, 3 * MINUTE, () => psql(database, "select max(id) from orders", { folder })),
  ];
}

/** The batch job, the extractor with its forgotten setting, and the backup. */
function dataHosts(folder: string): readonly Habit[] {
  const primary = hostNamed("db-1");
  const replica = hostNamed("db-2");
  const cache = hostNamed("cache-1");
  const pay = hostNamed("pay-1");
  const settle = "update ledger set booked = now() where id = (select max(id) from ledger)";
  const stale = `host=${primary.v4} port=${CLOSED_PORT} user=shop dbname=shop connect_timeout=3`;
  // A whole pg_dump asks the catalogue 400 questions, 200 kB of them: roles and rows in turn keep the capture small.
  const target = `host=${dnsName(replica)} user=shop dbname=shop sslmode=disable connect_timeout=60`;
  const globals: ClientCall = {
    program: "pg_dumpall",
    args: ["--globals-only", "--no-sync", "--file=/dev/null", "--dbname", target],
  };
  const rows = psql(replica, "copy products to stdout", { folder });
  return [
    towards("batch-1", primary, 5432, 10 * MINUTE, () => psql(primary, settle, { folder })),
    towards("batch-1", pay, 8443, 10 * MINUTE, (round) =>
      curl(`https://${PAY_NAME}:8443/settle`, { folder, family: familyOf(round) }, ["--data", "day=today"]),
    ),
    towards("etl-1", replica, 5432, 5 * MINUTE, () => psql(replica, "select * from orders limit 5", { folder })),
    towards("etl-1", cache, 6379, 5 * MINUTE, () => redis(cache, ["set", "products", "12 of them"], { folder })),
    {
      host: "etl-1",
      periodMs: MINUTE,
      leastRounds: 4,
      life: "whole",
      call: () => ({ program: "psql", args: ["--no-psqlrc", "--command", "select 1", stale] }),
    },
    towards("backup-1", replica, 5432, 5 * MINUTE, (round) => (round % 2 === 0 ? globals : rows)),
    towards("backup-1", cache, 6379, 10 * MINUTE, () => ({
      program: "redis-cli",
      args: ["-h", dnsName(cache), "--rdb", `${folder}/cache.rdb`],
    })),
  ];
}

function scrapes(folder: string): readonly Habit[] {
  return HOSTS.filter((host) => host.name !== "metrics-1").map((host) =>
    towards(
      "metrics-1",
      host,
      EXPORTER_PORT,
      10 * MINUTE,
      (round) => {
        const address = addressOf(host, familyOf(round));
        return curl(`http://${urlHost(address)}:${EXPORTER_PORT}/metrics`, { folder });
      },
      { life: host.life },
    ),
  );
}

function probes(folder: string): readonly Habit[] {
  const pings = ["web-1", "web-2", "db-1", "db-2", "dns-1"].flatMap((name) =>
    ([4, 6] as const).map((family): Habit => {
      const server = hostNamed(name);
      return {
        host: "probe-1",
        periodMs: 6 * MINUTE,
        leastRounds: 2,
        life: "whole",
        call: () => ping(server, family),
        proves: () => [
          {
            client: "ops/probe-1",
            server: workloadId(server),
            protocol: family === 4 ? "icmp" : "icmpv6",
            port: family === 4 ? 8 : 128,
          },
        ],
      };
    }),
  );
  const checks = ["web-1", "web-2"].map((name) => {
    const server = hostNamed(name);
    return towards("probe-1", server, 80, 5 * MINUTE, (round) =>
      curl(`http://${round % 2 === 0 ? dnsName(server) : urlHost(server.v6)}/`, { folder }),
    );
  });
  const sessions = SSH_HOSTS.map((name) => {
    const server = hostNamed(name);
    return towards("bastion-1", server, 22, 20 * MINUTE, (round) => ssh(server, { folder, family: familyOf(round) }));
  });
  return [...pings, ...checks, ...sessions];
}

/** One direct attempt at an intended edge, the way its client would make it. */
export function attempt(edge: IntendedEdge, family: 4 | 6, folder: string): { host: string; call: ClientCall } {
  const fromAddress = OUTSIDE.addresses.find((text) => text.includes(":") === (family === 6));
  const isOutside = edge.client === OUTSIDE.name;
  const options = { folder, family, ...(isOutside && fromAddress !== undefined ? { fromAddress } : {}) };
  return { host: isOutside ? "beyond" : hostNamed(edge.client).name, call: tryEdge(edge, options) };
}
