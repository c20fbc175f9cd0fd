import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";
import { configJsonSchema } from "../../../cli/config/config-schema.js";
import { parseConfigFile } from "../../../cli/config/parse-config-file.js";
import { settingsOf, verbsOf } from "../../../cli/config/settings.js";
import { program } from "../../../cli/program.js";

const MAIN = fileURLToPath(new URL("../../../cli/main.js", import.meta.url));
const SCHEMA = new URL("../../../../docs/schemas/portolan-config.schema.json", import.meta.url);

/** Runs portolan in a folder that holds nothing but `settings` as portolan.yaml, and no variables of ours. */
function portolan(t: TestContext, settings: string | undefined, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const cwd = mkdtempSync(join(tmpdir(), "portolan-check-"));
  t.after(() => rmSync(cwd, { recursive: true }));
  if (settings !== undefined) writeFileSync(join(cwd, "portolan.yaml"), settings);
  const { PATH = "" } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd,
    env: { PATH, ...env },
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

test("config check prints what each verb runs with and where that comes from", (t) => {
  const settings = "common:\n  store: /var/lib/x.db\nrun:\n  interface: eth0\n";
  const { status, stdout, stderr } = portolan(t, settings, ["config", "check"], {
    PORTOLAN_LISTEN: "0.0.0.0:1",
    PORTOLAN_LISTN: "typo",
    PORTOLAN_KAFKA_PASSWORD: "hunter2",
  });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^portolan\.yaml is valid\n/);
  assert.match(stdout, /\n {2}interface +eth0 +portolan\.yaml:4:14\n/);
  assert.match(stdout, /\n {2}store +\/var\/lib\/x\.db +portolan\.yaml:2:10\n/);
  assert.match(stdout, /\n {2}listen +0\.0\.0\.0:1 +PORTOLAN_LISTEN\n/);
  assert.match(stdout, /\n {2}json +false +default\n/);
  assert.doesNotMatch(stdout, /hunter2/);
  assert.equal(stderr, "PORTOLAN_LISTN is set and means nothing to any verb\n");
});

test("config check --json has the same for programs", (t) => {
  const { status, stdout } = portolan(t, "run: {interface: eth0}\n", ["config", "check", "--json"]);
  assert.equal(status, 0);
  const { file, verbs, unknownVariables } = JSON.parse(stdout) as {
    file: string;
    verbs: Record<string, { setting: string; value: string | null; from: string }[]>;
    unknownVariables: string[];
  };
  assert.deepEqual([file, unknownVariables], ["portolan.yaml", []]);
  const run = verbs.run ?? [];
  assert.deepEqual(run[0], { setting: "interface", value: "eth0", from: "portolan.yaml:1:18" });
  assert.ok(run.some(({ setting, value, from }) => setting === "inventory" && value === null && from === "default"));
});

test("wrong settings are one line each, with exit code 2, from config check and from every verb", (t) => {
  const settings = "run:\n  interfce: eth0\nlint:\n  format: xml\n";
  const wanted =
    /^portolan\.yaml:2:3: Cannot read "run\.interfce"[^\n]+\nportolan\.yaml:4:11: Cannot read "lint\.format"[^\n]+\n$/;
  for (const args of [["config", "check"], ["run"], ["lint", "x"]]) {
    const { status, stderr } = portolan(t, settings, args);
    assert.equal(status, 2);
    assert.match(stderr, wanted);
  }
});

test("a settings file that is named and not there is one line and exit code 2", (t) => {
  const { status, stderr } = portolan(t, undefined, ["config", "check", "nowhere.yaml"]);
  assert.equal(status, 2);
  assert.equal(stderr, 'Cannot read settings "nowhere.yaml": there is no such file\n');
});

test("a verb takes its settings from the file that lies where it is started", (t) => {
  const { status, stderr } = portolan(t, "lint:\n  target: abacus\n", ["lint", "--target", "kubernetes", "nowhere"]);
  assert.equal(status, 2);
  assert.match(stderr, /^portolan\.yaml:2:11: Cannot read "lint\.target" "abacus": Allowed choices are /);
});

test("docs/schemas/portolan-config.schema.json is made from the options that the verbs have", () => {
  const wanted = `${JSON.stringify(configJsonSchema(program()), null, 2)}\n`;
  if (process.env.PORTOLAN_UPDATE_GOLDEN === "1") writeFileSync(SCHEMA, wanted);
  assert.equal(readFileSync(SCHEMA, "utf8"), wanted, "run once with PORTOLAN_UPDATE_GOLDEN=1 and review the change");
});

test("the published schema and the program agree on what is valid", () => {
  const isValid = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(
    JSON.parse(readFileSync(SCHEMA, "utf8")) as object,
  );
  const verbs = verbsOf(program());
  for (const [source, wanted] of [
    ["", true],
    ["common:\n  store: x\nrun:\n  interface: eth0\n  json: true\n", true],
    ["demo: {serve: false, listen: 8480}\n", true],
    ["run: {interfce: eth0}\n", false],
    ["wrong: {}\n", false],
    ["run: {json: 1}\n", false],
    ["run: {store: [a]}\n", false],
    ["lint: {format: xml}\n", false],
    ["config check: {json: true}\n", false],
  ] as const) {
    assert.equal(isValid(parse(source)), wanted, `schema: ${source}`);
    assert.equal(parseConfigFile(source, "x", verbs).problems.length === 0, wanted, `program: ${source}`);
  }
});

test("no option of any verb takes a secret itself: only files that hold one", () => {
  const keys = verbsOf(program()).flatMap((verb) => settingsOf(verb).map(({ key }) => `${verb.path} --${key}`));
  assert.ok(keys.length > 20);
  assert.deepEqual(
    keys.filter((key) => /password|secret|token|passphrase/.test(key) && !/-file$/.test(key)),
    [],
  );
});
