import assert from "node:assert/strict";
import test from "node:test";
import { requireLab } from "./requirements.js";
import { LabEnvironmentError } from "./shell.js";

const able = { platform: "linux", userId: 0, has: () => true };

test("requireLab() accepts root on Linux with every program", () => {
  assert.doesNotThrow(() => requireLab(able));
});

test("requireLab() names the packages of the programs that are missing, each once", () => {
  const has = (program: string) => !["psql", "pg_dumpall", "nmap"].includes(program);
  assert.throws(() => requireLab({ ...able, has }), {
    name: "LabEnvironmentError",
    message: "Cannot build the lab without nmap, pg_dumpall, psql: wanted apt-get install nmap postgresql-client",
  });
});

test("requireLab() says in one line that it wants root, and Linux", () => {
  assert.throws(() => requireLab({ ...able, userId: 1000 }), /^LabEnvironmentError: Cannot build the lab as this user/);
  assert.throws(() => requireLab({ ...able, platform: "darwin" }), LabEnvironmentError);
});
