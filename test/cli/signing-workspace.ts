import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Proposal } from "../../analyzer/proposal.js";
import { renderProposal } from "../../analyzer/proposal-file.js";
import { writePrivateFile } from "../../cli/trust-files.js";
import { formatInventory } from "../../model/inventory-format.js";
import type { Inventory } from "../../model/workload.js";
import type { PolicySet } from "../../policy/policy-set.js";
import { renderKeyring, type TrustedKey } from "../../policy/trust/keyring.js";
import { generateSigningKey } from "../../policy/trust/signing-key.js";

export const MAIN = fileURLToPath(new URL("../../cli/main.js", import.meta.url));

export function portolan(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

/** The same in a namespace, without making the test's own process wait. */
export async function portolanWithin(within: readonly string[], args: readonly string[]) {
  const [command = "", ...rest] = [...within, process.execPath, MAIN, ...args];
  const child = spawn(command, rest, { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [status] = (await once(child, "close")) as [number | null];
  return { status, stdout, stderr };
}

/** policy.json as a user has it after a review. */
export function proposalText(policySet: PolicySet): string {
  const proposal: Proposal = {
    version: 1,
    state: "ready-for-review",
    stateReason: "made for a test",
    gates: [],
    fromUs: 0,
    untilUs: 0,
    policySet,
    roles: [],
    openWorkloads: [],
    exclusions: [],
    gaps: [],
  };
  return renderProposal(proposal);
}

/** A folder with a policy, its inventory, and the keys of four people. */
export async function signingWorkspace(policySet: PolicySet, inventory: Inventory) {
  const folder = mkdtempSync(join(tmpdir(), `portolan-signing-${process.pid}-`));
  const at = (name: string) => join(folder, name);
  writeFileSync(at("policy.json"), proposalText(policySet));
  writeFileSync(at("inventory.yaml"), formatInventory(inventory));
  const people = { alice: "author", bob: "approver", release: "signer", ops: "promoter" } as const;
  const keys: TrustedKey[] = [];
  for (const [person, role] of Object.entries(people)) {
    const { id, publicKey, privateFile } = await generateSigningKey();
    writePrivateFile(at(`${person}.key`), privateFile);
    const [notBefore, notAfter] = ["2020-01-01T00:00:00Z", "2120-01-01T00:00:00Z"];
    keys.push({ id, person, publicKey, roles: [role], notBefore, notAfter });
  }
  writeFileSync(at("keyring.json"), renderKeyring({ version: 1, fourEyes: true, keys }));
  return { folder, at, remove: () => rmSync(folder, { recursive: true }) };
}
