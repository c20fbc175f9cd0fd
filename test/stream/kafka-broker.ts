import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { authority } from "./kafka-certificates.js";

/** How clients reach a test broker. Without it: plain text, anybody. */
export interface BrokerSecurity {
  readonly tls?: "server" | "mutual";
  readonly sasl?: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
  readonly users?: Readonly<Record<string, string>>; // name -> password
}

export interface BrokerOptions {
  /** How many brokers form the cluster, each a voter of the quorum too; 1 unless told. */
  readonly brokers?: number;
  /** Further lines of server.properties, e.g. `log.segment.bytes`, `log.retention.check.interval.ms`. */
  readonly properties?: Readonly<Record<string, string>>;
  readonly security?: BrokerSecurity;
  /** The address clients connect to, for brokers in a network namespace of the test; 127.0.0.1 unless told. */
  readonly host?: string;
  /** Words before the command, such as `ip netns exec NAME`. */
  readonly within?: readonly string[];
}

/** One broker process of a cluster; its data and ports stay the same over restarts. */
export interface BrokerNode {
  readonly id: number;
  readonly address: string; // HOST:PORT for clients
  /** Ends it in the given way and resolves when the process is gone. */
  kill(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Starts it again after `kill`; resolves when it serves. */
  restart(): Promise<void>;
  /** The process stands still: sockets stay open, nothing is answered. */
  pause(): void;
  resume(): void;
  /** What it has logged so far. */
  log(): string;
}

export interface TestBroker {
  readonly bootstrap: string; // HOST:PORT[,HOST:PORT]
  readonly nodes: readonly BrokerNode[];
  readonly folder: string; // with ca.pem, client.pem and client.key where TLS is on
  kill(signal: "SIGKILL" | "SIGTERM"): Promise<void>; // all nodes
  restart(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Kills all nodes and removes what they have written. */
  stop(): Promise<void>;
}

const CACHE = fileURLToPath(new URL("../../../node_modules/.cache/", import.meta.url));
const STARTED = "Kafka Server started";
const START_LIMIT_MS = 180_000; // a machine that is busy with other tests; alone it takes 5 s
const STOP_LIMIT_MS = 60_000;

export function classPath(): string {
  const folder = existsSync(CACHE) ? readdirSync(CACHE).find((name) => /^kafka-[\d.]+$/.test(name)) : undefined;
  if (folder === undefined) throw new Error("Cannot start a broker: run `node scripts/kafka-jars.mjs` first");
  return join(CACHE, folder, "*");
}

/** Removes what test processes left that were killed before they could. */
function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = /^portolan-kafka-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`))
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

/**
 * Ports nobody listens on now; they are held until all are known, so that they differ. Below those that the kernel gives to
 * outgoing connections: one of these could have the port of a broker that is down, even a client that tries to reach it.
 */
export async function freePorts(count: number): Promise<number[]> {
  const [below = "32768"] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split("\t");
  const least = 10_000;
  const servers: Server[] = [];
  while (servers.length < count) {
    const server = createServer();
    const port = least + Math.floor(Math.random() * Math.max(1_000, Number(below) - least));
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
    });
    if (isFree) servers.push(server);
  }
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function securityProperties(folder: string, security: BrokerSecurity): Record<string, string> {
  const properties: Record<string, string> = {};
  if (security.tls !== undefined) {
    authority(folder);
    properties["ssl.keystore.type"] = "PEM";
    properties["ssl.keystore.location"] = join(folder, "server.keystore.pem");
    properties["ssl.truststore.type"] = "PEM";
    properties["ssl.truststore.location"] = join(folder, "ca.pem");
    properties["listener.name.client.ssl.client.auth"] = security.tls === "mutual" ? "required" : "none";
  }
  if (security.sasl === "PLAIN") {
    const users = Object.entries(security.users ?? {}).map(([name, password]) => ` user_${name}="${password}"`);
    properties["listener.name.client.plain.sasl.jaas.config"] =
      `org.apache.kafka.common.security.plain.PlainLoginModule required${users.join("")};`;
  } else if (security.sasl !== undefined) {
    properties[`listener.name.client.${security.sasl.toLowerCase()}.sasl.jaas.config`] =
      "org.apache.kafka.common.security.scram.ScramLoginModule required;";
  }
  if (security.sasl !== undefined) properties["sasl.enabled.mechanisms"] = security.sasl;
  return properties;
}

function clientProtocol({ tls, sasl }: BrokerSecurity): string {
  if (sasl !== undefined) return tls === undefined ? "SASL_PLAINTEXT" : "SASL_SSL";
  return tls === undefined ? "PLAINTEXT" : "SSL";
}

/** 16 bytes as Kafka writes its ids. */
function randomId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64url");
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

class Node implements BrokerNode {
  private child: ChildProcess | undefined;
  private readonly logFile: string;

  constructor(
    readonly id: number,
    readonly address: string,
    private readonly folder: string,
    private readonly within: readonly string[],
  ) {
    this.logFile = join(folder, "broker.log");
  }

  log(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, "utf8") : "";
  }

  private java(main: string, ...args: string[]): string[] {
    const jvm = ["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"];
    return [...this.within, "java", ...jvm, "-cp", classPath(), main, ...args];
  }

  /** Marks the data folder as this node's; SCRAM users want the broker's own tool, which costs a start of Java. */
  format(clusterId: string, scram: readonly string[]): void {
    if (scram.length === 0) {
      const data = join(this.folder, "data");
      mkdirSync(data);
      const marks = `version=1\ncluster.id=${clusterId}\nnode.id=${this.id}\ndirectory.id=${randomId()}\n`;
      writeFileSync(join(data, "meta.properties"), marks);
      return;
    }
    const file = join(this.folder, "server.properties");
    const words = this.java("kafka.tools.StorageTool", "format", "-t", clusterId, "-c", file, ...scram);
    const { status, stdout, stderr } = spawnSync(words[0] as string, words.slice(1), { encoding: "utf8" });
    if (status !== 0) throw new Error(`Cannot format the storage of a test broker: ${stderr}${stdout}`);
  }

  /** A machine under load may starve one that starts beside it, so it has two tries. */
  restart(): Promise<void> {
    return this.start().catch(() => this.start());
  }

  private async start(): Promise<void> {
    const from = this.log().length;
    const out = openSync(this.logFile, "a");
    // The kernel ends the broker with the test process, however that ends.
    const words = this.java("kafka.Kafka", join(this.folder, "server.properties"));
    const child = spawn("setpriv", ["--pdeathsig", "KILL", ...words], { stdio: ["ignore", out, out] });
    this.child = child;
    for (const limit = Date.now() + START_LIMIT_MS; !this.log().includes(STARTED, from); await wait(50)) {
      if (isRunning(child) && Date.now() < limit) continue;
      await this.kill("SIGKILL");
      throw new Error(`Cannot start a test broker: ${this.log().slice(-3000)}`);
    }
  }

  async kill(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const { child } = this;
    if (child === undefined || !isRunning(child)) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGCONT");
    child.kill(signal);
    const late = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    await gone;
    clearTimeout(late);
  }

  pause(): void {
    this.child?.kill("SIGSTOP");
  }

  resume(): void {
    this.child?.kill("SIGCONT");
  }
}

/**
 * A real Kafka cluster on free ports of the loopback, with its data in a folder of its own. Topics are not made by
 * themselves; offsets and transactions are replicated as far as the brokers go.
 */
export async function startBroker(options: BrokerOptions = {}): Promise<TestBroker> {
  const { brokers = 1, properties = {}, security = {}, host = "127.0.0.1", within = [] } = options;
  sweep();
  const folder = mkdtempSync(join(tmpdir(), `portolan-kafka-${process.pid}-`));
  const ports = await freePorts(3 * brokers);
  const port = (node: number, kind: 0 | 1 | 2) => ports[3 * node + kind] as number;
  const clusterId = randomId();
  const voters = Array.from({ length: brokers }, (_, i) => `${i + 1}@127.0.0.1:${port(i, 2)}`);
  const shared = securityProperties(folder, security);
  const copies = String(Math.min(brokers, 3));
  const scram = security.sasl?.startsWith("SCRAM")
    ? Object.entries(security.users ?? {}).flatMap(([name, password]) => [
        "--add-scram",
        `${security.sasl}=[name=${name},password=${password}]`,
      ])
    : [];
  const nodes = voters.map((_, i) => {
    const own = join(folder, String(i + 1));
    mkdirSync(own);
    const listeners = `CLIENT://${host}:${port(i, 0)},INTERNAL://127.0.0.1:${port(i, 1)}`;
    const lines: Record<string, string> = {
      "process.roles": "broker,controller",
      "node.id": String(i + 1),
      "controller.quorum.voters": voters.join(","),
      "controller.listener.names": "CONTROLLER",
      listeners: `${listeners},CONTROLLER://127.0.0.1:${port(i, 2)}`,
      "advertised.listeners": listeners,
      "listener.security.protocol.map": `CLIENT:${clientProtocol(security)},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT`,
      "inter.broker.listener.name": "INTERNAL",
      "log.dirs": join(own, "data"),
      "auto.create.topics.enable": "false",
      "default.replication.factor": copies,
      "offsets.topic.replication.factor": copies,
      "offsets.topic.num.partitions": "4",
      "transaction.state.log.replication.factor": copies,
      "transaction.state.log.min.isr": "1",
      "transaction.state.log.num.partitions": "4",
      "group.initial.rebalance.delay.ms": "0",
      ...shared,
      ...properties,
    };
    const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(join(own, "server.properties"), text.join(""));
    const node = new Node(i + 1, `${host}:${port(i, 0)}`, own, within);
    node.format(clusterId, scram);
    return node;
  });
  const all = (action: (node: Node) => Promise<void>) => Promise.all(nodes.map(action)).then(() => {});
  const stop = async () => {
    await all((node) => node.kill("SIGKILL"));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await all((node) => node.restart());
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    bootstrap: nodes.map(({ address }) => address).join(","),
    nodes,
    folder,
    kill: (signal) => all((node) => node.kill(signal)),
    restart: () => all((node) => node.restart()),
    pause: () => nodes.forEach((node) => node.pause()),
    resume: () => nodes.forEach((node) => node.resume()),
    stop,
  };
}
