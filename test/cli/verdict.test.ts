import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { TOWN } from "../policy/formats/ask.js";

const MAIN = fileURLToPath(new URL("../../cli/main.js", import.meta.url));
const POLICY = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: web, namespace: shop }
spec: { podSelector: { matchLabels: { app: web } }, ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 8080 }] }] }
`;

/** Runs the verb over a folder with the town, one policy in a folder below, and what `files` adds. */
function verdict(files: Readonly<Record<string, string>>, questions: string) {
  const folder = mkdtempSync(join(tmpdir(), "portolan-verdict-"));
  try {
    mkdirSync(join(folder, "policies"));
    const all = { "town.yaml": TOWN, "policies/web.yaml": POLICY, "notes.txt": "not a manifest: [", ...files };
    for (const [path, text] of Object.entries(all)) writeFileSync(join(folder, path), text);
    const args = ["verdict", "--target", "kubernetes", "--resources", folder, "--queries", "-"];
    return spawnSync(process.execPath, [MAIN, ...args], { input: questions, encoding: "utf8" });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const ALLOWED =
  '{"client":{"namespace":"shop","pod":"db"},"server":{"namespace":"shop","pod":"web"},"protocol":"tcp","port":8080}';
const DENIED = '{"client":{"ip":"192.0.2.1"},"server":{"namespace":"shop","pod":"web"},"protocol":"tcp","port":8080}';

test("portolan verdict prints each question with its verdict, both ends, and who decided", () => {
  const { stdout, status } = verdict({}, `${ALLOWED}\n\n${DENIED}\n`);
  const answers = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.equal(status, 0);
  assert.deepEqual(answers[0], {
    ...JSON.parse(ALLOWED),
    verdict: "allowed",
    ingress: "allowed",
    egress: "allowed",
    policies: ["NetworkPolicy shop/web"],
    rules: ["shop/web ingress[0]"],
    reasons: { egress: "nothing isolates this workload for egress", ingress: "a rule of NetworkPolicy allows it" },
  });
  assert.deepEqual(
    [answers[1].verdict, answers[1].ingress, answers[1].policies],
    ["denied", "denied", ["NetworkPolicy shop/web"]],
  );
});

test("portolan verdict refuses a folder with one bad file, names it, and answers nothing", () => {
  const { stdout, stderr, status } = verdict(
    { "policies/bad.yaml": `${POLICY.replace("web,", "w,")}  more: 1\n` },
    ALLOWED,
  );
  assert.deepEqual([status, stdout], [2, ""]);
  assert.match(stderr, /^policies\/bad\.yaml:\d+:\d+: Cannot parse YAML: [^\n]+\n$/);
});

test("portolan verdict asks a pod of two families at the address that fits the other end", () => {
  const pod = `apiVersion: v1
kind: Pod
metadata: { name: both, namespace: shop, labels: { app: web } }
spec: { containers: [] }
status: { podIPs: [{ ip: 10.0.0.7 }, { ip: "fd00::7" }] }
`;
  const question =
    '{"client":{"ip":"fd00::9"},"server":{"namespace":"shop","pod":"both"},"protocol":"tcp","port":8080}';
  const open = POLICY.replace("podSelector: {}", "ipBlock: { cidr: fd00::/16 }");
  const { stdout } = verdict({ "pod.yaml": pod, "policies/web.yaml": open }, question);
  assert.equal(JSON.parse(stdout).verdict, "allowed");
  const mixed = '{"client":{"ip":"fd00::9"},"server":{"ip":"10.0.0.1"},"protocol":"tcp","port":80}';
  assert.match(verdict({}, mixed).stderr, /^-:1: [^\n]*server: wanted an address of the client's family\n$/);
});

test("portolan verdict names the line of a question that it cannot read", () => {
  const { stdout, stderr, status } = verdict({}, `${ALLOWED}\n${ALLOWED.replace('"db"', '"ghost"')}\n`);
  assert.deepEqual([status, stdout], [2, ""]);
  assert.equal(stderr, '-:2: Cannot read question, client "shop/ghost": wanted a pod or a workload of the resources\n');
});
