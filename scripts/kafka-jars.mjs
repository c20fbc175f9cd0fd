// Fetches the jars of Apache Kafka by Maven, once, for the tests that run a real broker. Also a program of its own.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fail, root, say } from "./prepare.mjs";

const pom = join(root, "scripts/kafka-pom.xml");
const version = /<artifactId>kafka_[\s\S]*?<version>([\d.]+)</.exec(readFileSync(pom, "utf8"))?.[1];

/** Where test/stream/kafka-broker.ts looks for them. */
const folder = join(root, `node_modules/.cache/kafka-${version}`);

export function installKafkaJars() {
  if (existsSync(folder)) return;
  say(`fetching Apache Kafka ${version} by Maven, 43 MB, for the tests with a real broker`);
  mkdirSync(dirname(folder), { recursive: true });
  // Under another name until it is whole, since two runs may fetch at the same time.
  const partial = mkdtempSync(`${folder}-`);
  const args = ["-q", "-B", "-f", pom, "dependency:copy-dependencies", "-DincludeScope=runtime"];
  const { status, error } = spawnSync("mvn", [...args, `-DoutputDirectory=${partial}`], { stdio: ["ignore", 2, 2] });
  if (status !== 0) {
    rmSync(partial, { recursive: true, force: true });
    fail(`Cannot fetch Apache Kafka: mvn ${error === undefined ? `failed with ${status}, see above` : error.message}`);
  }
  if (existsSync(folder)) rmSync(partial, { recursive: true, force: true });
  else renameSync(partial, folder);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) installKafkaJars();
