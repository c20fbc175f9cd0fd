import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { configure } from "../../cli/config/configure.js";
import { settingsOf, verbsOf } from "../../cli/config/settings.js";
import { program } from "../../cli/program.js";
import { read, type Start, starts } from "./deployments.js";

/** Takes a command line and its settings as the program does, up to where it would begin to work. */
async function parseOnly(t: TestContext, { args, env, settings }: Start): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-start-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "portolan.yaml");
  writeFileSync(path, settings ?? "");
  const portolan = program();
  let reached = "";
  for (const { path: verb, command } of verbsOf(portolan)) {
    command.configureOutput({ writeErr: () => {} }).action(() => {
      reached = verb;
    });
  }
  portolan.configureOutput({ writeErr: () => {} });
  await configure(portolan, args, { ...env, PORTOLAN_CONFIG: path });
  await portolan.parseAsync(args, { from: "user" });
  return reached;
}

const found = starts();

test("each kind of deployment starts portolan somewhere", () => {
  for (const kind of ["deploy/Dockerfile", "docker-compose.yml", "deploy/systemd", "deploy/kubernetes"]) {
    assert.ok(
      found.some(({ where }) => where.startsWith(kind)),
      kind,
    );
  }
});

for (const start of found) {
  test(`${start.where}: portolan ${start.args.join(" ")} is accepted with its settings`, async (t) => {
    assert.equal(await parseOnly(t, start), start.args[0]);
    const variables = new Set(verbsOf(program()).flatMap((verb) => settingsOf(verb).map(({ variable }) => variable)));
    for (const name of Object.keys(start.env)) {
      if (name.startsWith("PORTOLAN_") && name !== "PORTOLAN_CONFIG") assert.ok(variables.has(name), name);
    }
  });
}

/** Lines of `sh` blocks that start portolan: what people copy. */
function shown(path: string): string[] {
  const blocks = read(path).matchAll(/^```sh\n([\s\S]*?)^```/gm);
  return [...blocks]
    .flatMap(([, block = ""]) => block.replace(/\\\n\s*/g, " ").split("\n"))
    .filter((line) => !line.startsWith("portolan config ")) // has no settings, and a test of its own
    .flatMap((line) => /^(?:sudo )?(?:bin\/)?portolan ([^|#>&;]*)/.exec(line)?.[1]?.trim() ?? []);
}

for (const path of ["docs/deploy.md", "docs/configuration.md", "docs/run.md", "docs/metrics.md"]) {
  for (const line of shown(path)) {
    test(`${path}: portolan ${line} is accepted`, async (t) => {
      const args = line.split(/\s+/);
      assert.equal(await parseOnly(t, { where: path, args, env: {} }), args[0]);
    });
  }
}
