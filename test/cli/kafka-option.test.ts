import assert from "node:assert/strict";
import { hostname } from "node:os";
import test from "node:test";
import { Command } from "commander";
import { addKafkaOptions, kafkaSettings } from "../../cli/kafka-option.js";

function settingsOf(...words: string[]) {
  const command = addKafkaOptions(new Command("collect")).exitOverride();
  command.parse(words, { from: "user" });
  return kafkaSettings("collect", command.opts());
}

test("without --kafka there is no cluster to reach", () => {
  assert.equal(settingsOf(), undefined);
});

test("--kafka alone means plain text, lz4 and a name of this host", () => {
  assert.deepEqual(settingsOf("--kafka", "a:9092,[::1]:9093"), {
    brokers: ["a:9092", "[::1]:9093"],
    clientId: `portolan-collect-${hostname()}`,
    compression: "lz4",
  });
});

test("TLS and login settings name the places of secrets, never the secrets", () => {
  const words = ["--kafka", "a:9092", "--kafka-tls-ca", "ca.pem", "--kafka-sasl", "SCRAM-SHA-512", "--kafka-user", "u"];
  const withVariable = settingsOf(...words);
  assert.deepEqual(withVariable?.tls, { caFile: "ca.pem" });
  const password = { environment: "PORTOLAN_KAFKA_PASSWORD" };
  assert.deepEqual(withVariable?.sasl, { mechanism: "SCRAM-SHA-512", username: "u", password });
  const withFile = settingsOf(...words, "--kafka-password-file", "/run/secrets/kafka");
  assert.deepEqual(withFile?.sasl?.password, { file: "/run/secrets/kafka" });
});

const REFUSED: readonly (readonly [string, readonly string[], RegExp])[] = [
  ["a broker without a port", ["--kafka", "a"], /--kafka has "a"; wanted HOST:PORT/],
  ["a port that cannot be", ["--kafka", "a:70000"], /--kafka has "a:70000"/],
  ["an empty broker", ["--kafka", "a:1,"], /--kafka has ""/],
  ["a certificate without its key", ["--kafka", "a:1", "--kafka-tls-cert", "c"], /go together; wanted both/],
  ["a user without a mechanism", ["--kafka", "a:1", "--kafka-user", "u"], /no --kafka-sasl; wanted one of PLAIN/],
  ["a mechanism without a user", ["--kafka", "a:1", "--kafka-sasl", "PLAIN"], /has no user; wanted --kafka-user/],
  ["a prefix that no topic may have", ["--kafka", "a:1", "--kafka-prefix", "a/b"], /--kafka-prefix is "a\/b"/],
  ["no copies", ["--kafka", "a:1", "--kafka-replication", "0"], /--kafka-replication is "0"/],
];
for (const [what, words, line] of REFUSED) {
  test(`kafkaSettings() refuses ${what} in one line`, () => {
    assert.throws(() => settingsOf(...words), line);
  });
}
