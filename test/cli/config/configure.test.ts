import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { Command, type OptionValues } from "commander";
import { configure } from "../../../cli/config/configure.js";
import type { Environment } from "../../../cli/config/effective.js";
import { CONFIG_FLAGS } from "../../../cli/config/settings.js";

/** What the verb `watch` is run with, through the same two steps as the real program. */
async function optionsOf(args: readonly string[], environment: Environment): Promise<OptionValues> {
  let seen: OptionValues = {};
  const watch = new Command("watch")
    .requiredOption("-s, --store <file>", "where to keep")
    .option("-I, --interface <name...>", "where", ["any"])
    .option("--depth <n>", "how deep", Number, 1)
    .option("--no-serve", "stop early")
    .option("--json", "as JSON")
    .option(CONFIG_FLAGS, "settings")
    .action((options: OptionValues) => {
      seen = options;
    });
  const program = new Command().addCommand(watch);
  for (const command of [program, watch]) command.exitOverride().configureOutput({ writeErr: () => {} });
  await configure(program, ["watch", ...args], environment);
  program.parse(["watch", ...args], { from: "user" });
  const { config: _, ...options } = seen;
  return options;
}

function file(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "portolan-config-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "portolan.yaml");
  writeFileSync(path, text);
  return path;
}

const TEXT = `
common:
  store: common.db
  depth: 2
watch:
  store: section.db
  interface: [eth0, eth1]
`;

test("a flag beats the environment, that the verb's section, that the common one, that the default", async (t) => {
  const path = file(t, TEXT);
  const run = (args: readonly string[], environment: Environment = {}) =>
    optionsOf(["--config", path, ...args], environment);
  assert.deepEqual(await run([]), { store: "section.db", interface: ["eth0", "eth1"], depth: 2, serve: true });
  assert.equal((await run([], { PORTOLAN_STORE: "env.db" })).store, "env.db");
  assert.equal((await run(["-s", "flag.db"], { PORTOLAN_STORE: "env.db" })).store, "flag.db");
  assert.equal((await run(["--store=flag.db"])).store, "flag.db");
  assert.equal((await run([], { PORTOLAN_DEPTH: "7" })).depth, 7);
  assert.equal((await optionsOf(["-s", "x"], {})).depth, 1);
});

test("a list that a flag gives replaces the one in the file, it is not added to it", async (t) => {
  const path = file(t, TEXT);
  assert.deepEqual((await optionsOf(["--config", path, "-I", "wlan0"], {})).interface, ["wlan0"]);
  assert.deepEqual((await optionsOf(["--config", path], { PORTOLAN_INTERFACE: "a, b" })).interface, ["a", "b"]);
});

test("switches are set by words, and an empty variable sets nothing", async () => {
  assert.equal((await optionsOf(["-s", "x"], { PORTOLAN_SERVE: "false" })).serve, false);
  assert.equal((await optionsOf(["-s", "x"], { PORTOLAN_SERVE: "1" })).serve, true);
  assert.equal((await optionsOf(["-s", "x"], { PORTOLAN_JSON: "0" })).json, false);
  assert.equal((await optionsOf(["-s", "x", "--no-serve"], { PORTOLAN_SERVE: "true" })).serve, false);
  assert.equal((await optionsOf(["-s", "x"], { PORTOLAN_JSON: "" })).json, undefined);
  const wrong = { PORTOLAN_JSON: "perhaps" };
  await assert.rejects(() => optionsOf(["-s", "x"], wrong), {
    message: 'Cannot read PORTOLAN_JSON "perhaps": wanted true or false',
  });
  assert.equal((await optionsOf(["-s", "x", "--json"], wrong)).json, true);
});

test("PORTOLAN_CONFIG names the file, and --config beats it", async (t) => {
  const [first, second] = [file(t, "watch: {store: a}\n"), file(t, "watch: {store: b}\n")];
  assert.equal((await optionsOf([], { PORTOLAN_CONFIG: first })).store, "a");
  assert.equal((await optionsOf([`--config=${second}`], { PORTOLAN_CONFIG: first })).store, "b");
  await assert.rejects(
    () => optionsOf([], { PORTOLAN_CONFIG: `${first}.not` }),
    /^Failure: Cannot read settings ".*": there is no such file$/,
  );
});

test("what no flag, variable or file gives is still missing", async () => {
  await assert.rejects(() => optionsOf([], {}), /required option '-s, --store <file>' not specified/);
});

test("broken settings stop every verb, but never its help", async (t) => {
  const path = file(t, "watch: {stor: a}\n");
  await assert.rejects(() => optionsOf(["--config", path], {}), /portolan\.yaml:1:9: Cannot read "watch\.stor"/);
  await assert.rejects(() => optionsOf(["--config", path, "--help"], {}), /\(outputHelp\)/);
});
