import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, chmodSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  dnsName,
  HOSTS,
  hostNamed,
  type LabHost,
  PARTNER,
  PARTNER_NAME,
  PAY_NAME,
  WEB_NAME,
  workloadId,
} from "./company.js";
import { EXPORTER_PORT, MAIL_PORT, SSH_HOSTS } from "./intent.js";
import { makeCertificates, makeSshKeys } from "./keys.js";
import type { LabNetwork } from "./network.js";
import { postgresBin } from "./requirements.js";
import { must, run, sleep } from "./shell.js";

const PROGRAMS = fileURLToPath(new URL("./programs/", import.meta.url));

/** The company's servers: real programs, each in its host's namespace, with their data in one folder. */
export class LabServices {
  readonly #network: LabNetwork;
  readonly #folder: string;
  readonly #running: { readonly host: string; readonly program: string; readonly child: ChildProcess }[] = [];

  constructor(network: LabNetwork, folder: string) {
    this.#network = network;
    this.#folder = folder;
  }

  get evidenceFile(): string {
    return join(this.#folder, "evidence.tsv");
  }

  get dnsLog(): string {
    return join(this.#folder, "dnsmasq.log");
  }

  accessLog(web: string): string {
    return join(this.#folder, `${web}.access.log`);
  }

  /** Starts every server but those of second-half hosts; resolves when all of them answer. */
  async start(): Promise<void> {
    chmodSync(this.#folder, 0o755);
    writeFileSync(this.evidenceFile, "");
    await makeCertificates(this.#folder, [WEB_NAME, PAY_NAME, PARTNER_NAME]);
    await makeSshKeys(this.#folder);
    this.#startDns();
    this.#startRedis();
    for (const host of SSH_HOSTS) this.#startSsh(host);
    await this.#startDatabases();
    this.#startNode("api-1", "api");
    this.#startNode("api-2", "api");
    this.#startNode("pay-1", "pay");
    this.#startNode("beyond", "answer", {
      LAB_TLS_NAME: PARTNER_NAME,
      LAB_PORT: "443",
      LAB_ADDRESSES: PARTNER.addresses.join(","),
    });
    for (const name of ["web-1", "web-2"]) this.#startNginx(name);
    for (const host of HOSTS) {
      if (host.life !== "second-half" && host.name !== "metrics-1") this.#startExporter(host);
    }
    await this.#waitForListeners();
  }

  /** Starts what runs on a second-half host and tells the API tier that it may be used. */
  async startSecondHalf(host: LabHost): Promise<void> {
    this.#startExporter(host);
    this.#startNode(host.name, "answer", { LAB_PORT: String(MAIL_PORT) });
    await this.#waitFor(host.name, [EXPORTER_PORT, MAIL_PORT]);
    for (const { program, child } of this.#running) if (program === "api") child.kill("SIGUSR2");
  }

  /** Ends the servers of one host, or of all. */
  async stop(host?: string): Promise<void> {
    const ending = this.#running.filter((running) => host === undefined || running.host === host);
    for (const { program, child } of ending) child.kill(program === "postgres" ? "SIGINT" : "SIGTERM");
    await Promise.all(ending.map(({ child }) => ended(child, 15_000)));
  }

  #launch(
    host: string,
    label: string,
    program: string,
    args: readonly string[],
    env: Record<string, string> = {},
  ): void {
    const log = openSync(join(this.#folder, `${host}.${label}.log`), "a");
    // A group of its own: Ctrl-C at the terminal reaches the lab alone, which then ends its programs in order.
    const child = spawn("ip", this.#network.exec(host, program, args), {
      detached: true,
      stdio: ["ignore", log, log],
      env: { ...process.env, ...env },
    });
    child.on("error", (error) => appendFileSync(join(this.#folder, `${host}.${label}.log`), `${error.message}\n`));
    this.#running.push({ host, program: label, child });
  }

  #startNode(host: string, program: string, env: Record<string, string> = {}): void {
    const found = HOSTS.find(({ name }) => name === host);
    this.#launch(host, program, process.execPath, [join(PROGRAMS, `${program}.js`)], {
      LAB_FOLDER: this.#folder,
      LAB_EVIDENCE: this.evidenceFile,
      LAB_WORKLOAD: found === undefined ? host : workloadId(found),
      ...env,
    });
  }

  #startExporter(host: LabHost): void {
    this.#startNode(host.name, "exporter", { LAB_PORT: String(EXPORTER_PORT) });
  }

  #startDns(): void {
    const hosts = HOSTS.flatMap((host) => {
      const names = host.name.startsWith("web-") ? `${dnsName(host)} ${WEB_NAME}` : dnsName(host);
      // The cache was never given an IPv6 record, so its clients come by IPv4.
      return host.name === "cache-1" ? [`${host.v4} ${names}`] : [`${host.v4} ${names}`, `${host.v6} ${names}`];
    });
    for (const address of PARTNER.addresses) hosts.push(`${address} ${PARTNER_NAME}`);
    const file = join(this.#folder, "names.hosts");
    writeFileSync(file, `${hosts.join("\n")}\n`);
    this.#launch("dns-1", "dnsmasq", "dnsmasq", [
      ...["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", `--addn-hosts=${file}`],
      ...["--local=/lab/", "--local=/example/", "--user=root", "--pid-file", "--log-queries"],
      `--log-facility=${this.dnsLog}`,
    ]);
  }

  #startRedis(): void {
    this.#launch("cache-1", "redis", "redis-server", [
      ...["--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--dir", this.#folder, "--daemonize", "no"],
      ...["--repl-diskless-sync-delay", "0"],
    ]);
  }

  /** A home of its own hides root's from the SSH server; "ip netns exec" keeps the mount to this one process. */
  #startSsh(host: string): void {
    const home = userInfo().homedir;
    const script = [
      'mount -t tmpfs -o mode=0700 lab "$1"',
      'mkdir -m 700 "$1/.ssh"',
      'cp "$2/authorized_keys" "$1/.ssh/"',
      'exec dropbear -F -E -s -r "$2/ssh-host.key" -p 22 -P "$1/dropbear.pid"',
    ];
    this.#launch(host, "dropbear", "sh", ["-e", "-c", script.join("\n"), "sh", home, this.#folder]);
  }

  /** A primary with a little data and a replica that streams from it. */
  async #startDatabases(): Promise<void> {
    const bin = postgresBin() ?? "";
    const asPostgres = (program: string, args: readonly string[]): [string, string[]] => [
      "setpriv",
      ["--reuid=postgres", "--regid=postgres", "--init-groups", join(bin, program), ...args],
    ];
    const inside = (host: string, program: string, args: readonly string[]) =>
      must("ip", this.#network.exec(host, ...asPostgres(program, args)), { timeoutMs: 180_000 });
    const home = (host: string) => join(this.#folder, host);
    for (const host of ["db-1", "db-2"]) {
      mkdirSync(home(host), { mode: 0o700 });
      await must("chown", ["postgres:postgres", home(host)]);
    }
    await inside("db-1", "initdb", ["-D", home("db-1"), "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8"]);
    // The databases let everybody in: what keeps somebody out of them is policy alone.
    appendFileSync(join(home("db-1"), "pg_hba.conf"), "host all,replication all all trust\n");
    const settings = [
      "listen_addresses = '*'",
      "unix_socket_directories = ''",
      "fsync = off",
      "max_connections = 40",
      "shared_buffers = 16MB",
      "wal_level = replica",
      "checkpoint_timeout = 1h",
      "bgwriter_delay = 2s",
      "autovacuum = off",
    ];
    appendFileSync(join(home("db-1"), "postgresql.conf"), `${settings.join("\n")}\n`);
    const serve = (host: string) => this.#launch(host, "postgres", ...asPostgres("postgres", ["-D", home(host)]));
    const isReady = (host: string) =>
      run("ip", this.#network.exec(host, join(bin, "pg_isready"), ["-q", "-h", "127.0.0.1"]));
    // It listens before it lets anybody in, and on a busy machine long before.
    const begin = async (host: string) => {
      serve(host);
      await this.#waitFor(host, [5432]);
      for (let i = 0; (await isReady(host)).status !== 0; i++) {
        if (i === 1200) throw new Error(`Cannot start "${host}": wanted it ready in 120 s; ${this.#lastWords(host)}`);
        await sleep(100);
      }
    };
    await begin("db-1");
    const sql = [
      "create role shop login superuser",
      "create database shop owner shop",
      "\\connect shop",
      "create table products(id int primary key, name text, price numeric)",
      "insert into products select i, 'product ' || i, i * 1.5 from generate_series(1, 12) i",
      "create table orders(id serial primary key, product int, placed timestamptz)",
      "create table ledger(id serial primary key, amount numeric, booked timestamptz)",
    ];
    const script = join(this.#folder, "schema.sql");
    writeFileSync(script, `${sql.map((line) => (line.startsWith("\\") ? line : `${line};`)).join("\n")}\n`);
    await inside("db-1", "psql", ["-X", "-q", "-h", "127.0.0.1", "-v", "ON_ERROR_STOP=1", "-f", script, "postgres"]);
    // The first copy goes by the loopback, as from a shipped disk: 30 MB would drown the capture.
    await inside("db-1", "pg_basebackup", [
      "-h",
      "127.0.0.1",
      "-D",
      home("db-2"),
      "-R",
      "--no-sync",
      "-c",
      "fast",
      "-X",
      "stream",
    ]);
    appendFileSync(
      join(home("db-2"), "postgresql.auto.conf"),
      `primary_conninfo = 'host=${hostNamed("db-1").v4} user=postgres sslmode=disable'\n`,
    );
    await begin("db-2");
  }

  #startNginx(name: string): void {
    const host = hostNamed(name);
    const prefix = join(this.#folder, `${name}.nginx`);
    mkdirSync(join(prefix, "html"), { recursive: true });
    writeFileSync(
      join(prefix, "html", "index.html"),
      "<!doctype html><title>Shop</title><h1>The shop of the lab</h1>\n",
    );
    const upstream = ["api-1", "api-2"].map((api) => `server ${hostNamed(api).v4}:8080 max_fails=0;`).join(" ");
    const conf = `
      user root; worker_processes 1; pid ${prefix}/nginx.pid; error_log ${prefix}/error.log;
      events { worker_connections 256; }
      http {
        log_format upstream '$upstream_addr $upstream_status';
        access_log ${this.accessLog(name)} upstream;
        client_body_temp_path ${prefix}/body; proxy_temp_path ${prefix}/proxy;
        fastcgi_temp_path ${prefix}/fastcgi; uwsgi_temp_path ${prefix}/uwsgi; scgi_temp_path ${prefix}/scgi;
        upstream api { ${upstream} }
        server {
          listen 80; listen [::]:80; listen 443 ssl; listen [::]:443 ssl;
          server_name ${WEB_NAME} ${dnsName(host)};
          ssl_certificate ${join(this.#folder, `${WEB_NAME}.pem`)};
          ssl_certificate_key ${join(this.#folder, `${WEB_NAME}.key`)};
          root ${prefix}/html;
          location /api/ { proxy_pass http://api; proxy_set_header Host api.shop.lab; }
        }
      }`;
    const file = join(prefix, "nginx.conf");
    writeFileSync(file, `${conf}\n`);
    this.#launch(name, "nginx", "nginx", ["-p", prefix, "-c", file, "-e", `${prefix}/error.log`, "-g", "daemon off;"]);
  }

  async #waitForListeners(): Promise<void> {
    const wanted: [string, number[]][] = [
      ["cache-1", [6379]],
      ["api-1", [8080]],
      ["api-2", [8080]],
      ["pay-1", [8443]],
      ["beyond", [443]],
      ["dns-1", [53]],
      ["web-1", [80, 443]],
      ["web-2", [80, 443]],
      ...SSH_HOSTS.map((host): [string, number[]] => [host, [22]]),
    ];
    for (const host of HOSTS) {
      if (host.life !== "second-half" && host.name !== "metrics-1") wanted.push([host.name, [EXPORTER_PORT]]);
    }
    for (const [name, ports] of wanted) await this.#waitFor(name, ports);
  }

  /** Reads the kernel's list of listeners, so that waiting sends no packet. */
  async #waitFor(host: string, ports: readonly number[]): Promise<void> {
    const give = Date.now() + 120_000;
    for (;;) {
      const { stdout } = await run("ip", this.#network.exec(host, "ss", ["-Hltn"]));
      const missing = ports.filter((port) => !stdout.includes(`:${port} `));
      if (missing.length === 0) return;
      if (Date.now() > give) {
        const last = this.#lastWords(host);
        throw new Error(`Cannot start "${host}": wanted a listener on port ${missing.join(", ")} in 120 s; ${last}`);
      }
      await sleep(100);
    }
  }

  /** The last line that each program of a host wrote. */
  #lastWords(host: string): string {
    const logs = this.#running.filter((running) => running.host === host);
    return logs
      .map(({ program }) => {
        const lines = readFileSync(join(this.#folder, `${host}.${program}.log`), "utf8")
          .trimEnd()
          .split("\n");
        return `${program} said "${lines.at(-1)}"`;
      })
      .join(", ");
  }
}

/** Resolves when the program ended; after `patienceMs` it is killed. */
function ended(child: ChildProcess, patienceMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return resolve();
    const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
    child.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
