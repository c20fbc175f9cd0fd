import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { Carrier } from "../../../stream/carrier.js";
import { kafkaCarrier } from "../../../stream/kafka/kafka-carrier.js";
import type { KafkaSettings } from "../../../stream/kafka/kafka-settings.js";
import { message, noting, textOf, until } from "../carrier-contract.js";
import { startBroker, type TestBroker } from "../kafka-broker.js";

const PASSWORD = "correct-horse-1";
const WRONG = "wrong-battery-2";

async function passes(settings: KafkaSettings): Promise<void> {
  const carrier: Carrier = await kafkaCarrier(settings);
  try {
    const { seen, consumption } = noting();
    await carrier.subscribe("portolan.policies", consumption);
    await carrier.send("portolan.policies", message("k", "through"));
    await until("the message", () => seen.length === 1);
    assert.equal(seen.map(textOf).join(), "through");
  } finally {
    await carrier.close();
  }
}

/** Every way in that must stay shut, with what was said on the way. */
async function refuses(settings: KafkaSettings, code: string): Promise<string> {
  const said: string[] = [];
  const say = (_: string, line: string) => void said.push(line);
  const error = await kafkaCarrier({ ...settings, say }).then(
    () => assert.fail("it was let in"),
    (reason: unknown) => reason as Error & { code: string },
  );
  assert.equal(error.code, code, error.message);
  const all = [error.message, error.stack ?? "", ...said].join("\n");
  for (const secret of [PASSWORD, WRONG]) assert.ok(!all.includes(secret), all);
  return error.message;
}

async function withBroker(
  options: Parameters<typeof startBroker>[0],
  run: (broker: TestBroker, file: (name: string, text: string) => string) => Promise<void>,
): Promise<void> {
  const broker = await startBroker(options);
  try {
    await run(broker, (name, text) => {
      writeFileSync(join(broker.folder, name), text, { mode: 0o600 });
      return join(broker.folder, name);
    });
  } finally {
    await broker.stop();
  }
}

test("over TLS with a certificate of our own and SCRAM, messages pass; without any one of them, they do not", async () => {
  await withBroker(
    { security: { tls: "mutual", sasl: "SCRAM-SHA-512", users: { ann: PASSWORD } } },
    async (broker, file) => {
      const tls = {
        caFile: join(broker.folder, "ca.pem"),
        certFile: join(broker.folder, "client.pem"),
        keyFile: join(broker.folder, "client.key"),
      };
      const password = { file: file("password", `${PASSWORD}\n`) };
      const sasl = { mechanism: "SCRAM-SHA-512", username: "ann", password } as const;
      const settings: KafkaSettings = { brokers: [broker.bootstrap], clientId: "test", tls, sasl };
      await passes(settings);
      const wrong = { ...sasl, password: { file: file("wrong", WRONG) } };
      assert.match(await refuses({ ...settings, sasl: wrong }, "refused"), /[Aa]uthentication/);
      await refuses({ ...settings, tls: { caFile: tls.caFile } }, "unreachable");
      await refuses({ ...settings, tls: { certFile: tls.certFile, keyFile: tls.keyFile } }, "unreachable");
      assert.match(
        await refuses({ ...settings, tls: { caFile: join(broker.folder, "absent.pem") } }, "setting"),
        /certificate authority.*absent\.pem/,
      );
    },
  );
});

test("with PLAIN the password comes from a variable; an empty one is told by name", async () => {
  await withBroker({ security: { tls: "server", sasl: "PLAIN", users: { bob: PASSWORD } } }, async (broker) => {
    const environment = `TEST_KAFKA_PASSWORD_${process.pid}`;
    const tls = { caFile: join(broker.folder, "ca.pem") };
    const sasl = { mechanism: "PLAIN", username: "bob", password: { environment } } as const;
    const settings: KafkaSettings = { brokers: [broker.bootstrap], clientId: "test", tls, sasl };
    assert.match(await refuses(settings, "setting"), new RegExp(`variable ${environment} is empty`));
    process.env[environment] = PASSWORD;
    await passes(settings);
    process.env[environment] = WRONG;
    await refuses(settings, "refused");
  });
});
