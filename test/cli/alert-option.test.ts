import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { Command, CommanderError } from "commander";
import { type AlertOptions, addAlertOptions } from "../../cli/alert-option.js";
import { alertReceivers } from "../../cli/start-alerts.js";

function parse(...args: string[]): AlertOptions {
  const command = addAlertOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  return command.parse(args, { from: "user" }).opts<AlertOptions>();
}

const names = (options: AlertOptions) => alertReceivers(options).map(({ name }) => name);

test("alerts go where the options say, and nowhere without any", () => {
  assert.deepEqual(names(parse()), []);
  assert.deepEqual(names(parse("--alert-webhook", "https://siem.example/x", "--alert-syslog", "tls://[::1]:6514")), [
    "webhook",
    "syslog",
  ]);
  assert.deepEqual(parse("--alert-syslog", "udp://siem:514").alertSyslog, {
    transport: "udp",
    host: "siem",
    port: 514,
  });
});

for (const [option, values] of [
  ["--alert-webhook", ["siem.example", "ftp://siem/x", "https://user:secret@siem/x", "http://"]],
  ["--alert-syslog", ["siem:514", "udp://siem", "http://siem:80", "tcp://siem:0", "tcp://siem:99999", "udp://a b:1"]],
  ["--alert-rate", ["0", "-1", "1.5", "many"]],
] as const) {
  test(`${option} refuses what it cannot use`, () => {
    for (const value of values) assert.throws(() => parse(option, value), CommanderError, value);
  });
}

test("a webhook's secret comes from a file, is not empty, and wants a webhook", (t) => {
  const folder = mkdtempSync(join(tmpdir(), `portolan-alert-option-${process.pid}-`));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "secret");
  writeFileSync(file, "\n");
  const webhook = ["--alert-webhook", "http://127.0.0.1:1/"];
  assert.throws(() => names(parse(...webhook, "--alert-webhook-secret-file", file)), /the secret is empty; wanted/);
  assert.throws(() => names(parse("--alert-webhook-secret-file", file)), /there is a secret and no --alert-webhook/);
  assert.throws(
    () => names(parse(...webhook, "--alert-webhook-secret-file", join(folder, "none"))),
    /Cannot read webhook secret ".*": there is no such file/,
  );
});
