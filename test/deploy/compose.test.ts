import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import { ROOT, read, services } from "./deployments.js";

test("docker-compose takes the file, with the interface that was asked for", () => {
  const { status, stdout, stderr } = spawnSync("docker-compose", ["-f", "docker-compose.yml", "config"], {
    cwd: ROOT,
    encoding: "utf8",
    env: { PATH: process.env.PATH, PORTOLAN_INTERFACE: "wg0" },
  });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /PORTOLAN_INTERFACE: wg0/);
});

test("images are pinned, checked for health, and have no more rights than they need", () => {
  const rights = Object.entries(services()).map(([name, service]) => {
    const { image, cap_drop, cap_add, healthcheck, read_only, restart, volumes } = service as typeof service & {
      readonly cap_drop?: readonly string[];
      readonly cap_add?: readonly string[];
      readonly healthcheck?: object;
      readonly read_only?: boolean;
      readonly restart?: string;
    };
    assert.match(image, /:\d+\.\d+\.\d+$/, name);
    assert.deepEqual(cap_drop, ["ALL"], name);
    assert.ok(healthcheck !== undefined && restart === "unless-stopped" && (volumes ?? []).length > 0, name);
    return [name, cap_add ?? [], read_only ?? false];
  });
  assert.deepEqual(rights, [
    ["kafka", [], false],
    ["analyzer", [], true],
    ["collector", ["NET_RAW"], true],
  ]);
});

test("no port is published beyond this machine", () => {
  const ports = Object.values(services()).flatMap((service) => (service as { ports?: string[] }).ports ?? []);
  assert.ok(ports.length > 0);
  for (const port of ports) assert.match(port, /^127\.0\.0\.1:/);
});

test("the image builds in one stage, runs in another, and is not root there", () => {
  const stages = read("deploy/Dockerfile")
    .split(/^FROM /m)
    .slice(1);
  assert.equal(stages.length, 2);
  for (const stage of stages) assert.match(stage, /^node:\d+\.\d+\.\d+-bookworm-slim/);
  assert.match(stages[1] ?? "", /^USER 1000:1000$/m);
  for (const [, from = ""] of (stages[1] ?? "").matchAll(/^COPY (.*)$/gm)) assert.match(from, /^--from=build /);
});
