import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { classPath } from "../stream/kafka-broker.js";
import { read, services } from "./deployments.js";

const START_TRIES = 1200; // of 0.2 s each

const CARRIER = new URL("../../stream/kafka/kafka-carrier.js", import.meta.url).href;

/** Makes the topics where they are missing, and sends one message through the broker that the argument names. */
const SEND = `
  import { kafkaCarrier } from ${JSON.stringify(CARRIER)};
  const [address] = process.argv.slice(1);
  const carrier = await kafkaCarrier({ brokers: [address], clientId: "compose-test" });
  await carrier.send("portolan.flows", { key: "0", value: new Uint8Array([1]), headers: {} });
  await carrier.close();
  console.log("sent through " + address);
`;

/** The variables of apache/kafka's image as that image makes server.properties of them. */
function properties(environment: Readonly<Record<string, string>>, folder: string): string {
  return Object.entries(environment)
    .filter(([name]) => name.startsWith("KAFKA_"))
    .map(([name, value]) => [name.slice("KAFKA_".length).toLowerCase().replaceAll("_", "."), value])
    .map(([key, value]) => `${key}=${key === "log.dirs" ? folder : value}\n`)
    .join("");
}

test("the broker of docker-compose.yml starts with its settings, and takes messages from the collector and the analyzer", async (t) => {
  const { image, environment = {} } = services().kafka ?? assert.fail("no service kafka");
  const version = /<artifactId>kafka_[\s\S]*?<version>([\d.]+)</.exec(read("scripts/kafka-pom.xml"))?.[1];
  assert.equal(image, `apache/kafka:${version}`, "what runs here is what the image holds");

  const folder = mkdtempSync(join(tmpdir(), "portolan-compose-broker-"));
  const space = `ptl-cb-${process.pid}`; // its ports are the real ones, so they need a network of their own
  const inside = (...words: string[]) => ["netns", "exec", space, ...words];
  const java = (memory: string, ...words: string[]) => inside("java", memory, "-cp", classPath(), ...words);
  t.after(() => {
    spawnSync("ip", ["netns", "delete", space]);
    rmSync(join("/etc/netns", space), { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  });
  mkdirSync(join("/etc/netns", space), { recursive: true });
  writeFileSync(join("/etc/netns", space, "hosts"), "127.0.0.1 localhost kafka\n"); // as the containers' network names it
  assert.equal(spawnSync("ip", ["netns", "add", space]).status, 0);
  assert.equal(spawnSync("ip", inside("ip", "link", "set", "lo", "up")).status, 0);

  const settings = join(folder, "server.properties");
  writeFileSync(settings, properties(environment, join(folder, "data")));
  const format = java(
    "-Xmx128m",
    "kafka.tools.StorageTool",
    "format",
    "-t",
    environment.CLUSTER_ID ?? "",
    "-c",
    settings,
  );
  const formatted = spawnSync("ip", format, { encoding: "utf8" });
  assert.equal(formatted.status, 0, formatted.stderr + formatted.stdout);

  const log = join(folder, "log");
  const out = openSync(log, "a");
  const words = ["--pdeathsig", "KILL", "ip", ...java("-Xmx384m", "kafka.Kafka", settings)];
  const broker = spawn("setpriv", words, { stdio: ["ignore", out, out] });
  t.after(() => broker.kill("SIGKILL"));
  const told = () => readFileSync(log, "utf8");
  for (let tries = 0; !told().includes("Kafka Server started"); tries++) {
    assert.ok(tries < START_TRIES && broker.exitCode === null, told().slice(-3000));
    await wait(200);
  }

  // The collector's way from the host, and the analyzer's over the containers' network.
  for (const address of ["127.0.0.1:9092", "kafka:19092"]) {
    const asked = spawnSync("ip", inside(process.execPath, "--input-type=module", "--eval", SEND, address), {
      encoding: "utf8",
      timeout: 180_000,
    });
    assert.equal(asked.stdout, `sent through ${address}\n`, asked.stderr);
  }

  broker.kill("SIGTERM");
  await once(broker, "exit");
});
