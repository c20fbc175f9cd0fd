import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import { discover } from "../../analyzer/discovery/discover.js";
import { parseProposal, proposalJsonSchema, renderProposal } from "../../analyzer/proposal-file.js";
import { smallNetwork } from "./discovery/small-network.js";

const network = smallNetwork({ seed: 2, hours: 24 });
const sample = {
  client: "10.0.1.11",
  server: "10.0.1.21",
  protocol: "tcp",
  clientPort: 40000,
  serverPort: 8080,
  startUs: 1_767_225_600_000_000,
  clientBytes: 600,
  serverBytes: 2000,
  observer: "sensor-1",
};
const proposal = discover({
  windows: network.windows,
  inventory: network.inventory,
  gaps: [{ collector: "sensor-1", fromUs: 1, untilUs: 2, lost: "unknown", reason: "the source does not count drops" }],
  samples: () => [sample],
});

test("parseProposal() reads back every field that renderProposal() wrote", () => {
  const text = renderProposal(proposal);
  assert.deepEqual(parseProposal(text), JSON.parse(JSON.stringify(proposal)));
  assert.equal(renderProposal(parseProposal(text)), text);
});

test("parseProposal() names the first wrong field and what was wanted, on one line", () => {
  const broken = (change: (value: Record<string, unknown>) => void) => {
    const value = JSON.parse(renderProposal(proposal));
    change(value);
    return () => parseProposal(JSON.stringify(value));
  };
  assert.throws(() => parseProposal("policy: yes"), /^SyntaxError: Cannot read policy: it is not JSON/);
  assert.throws(() => parseProposal("[]"), /^SyntaxError: Cannot read policy: the document: [^\n]*$/);
  assert.throws(
    broken((value) => Object.assign(value, { version: 7 })),
    /field "version": wanted 1, the only version/,
  );
  assert.throws(
    broken((value) => Object.assign(value, { surprise: 1 })),
    /the document: Unrecognized key: "surprise"/,
  );
  assert.throws(
    broken((value) =>
      Object.assign((value as unknown as { policySet: { rules: object[] } }).policySet.rules[2] as object, {
        client: { kind: "everyone" },
      }),
    ),
    /^SyntaxError: Cannot read policy: field "policySet\.rules\[2\]\.client\.kind": [^\n]*$/,
  );
  assert.throws(
    broken((value) =>
      Object.assign((value as unknown as { policySet: { groups: object[] } }).policySet.groups[0] as object, {
        cidrs: ["10.0.0.0/40"],
      }),
    ),
    /field "policySet\.groups\[0\]\.cidrs\[0\]": wanted a CIDR/,
  );
});

test("the published JSON Schema is the one the code checks with", () => {
  const path = new URL("../../../docs/schemas/policy.schema.json", import.meta.url); // from dist/
  const text = `${JSON.stringify(proposalJsonSchema(), null, 2)}\n`;
  if (process.env.PORTOLAN_UPDATE_GOLDEN === "1") writeFileSync(path, text);
  assert.equal(
    readFileSync(path, "utf8"),
    text,
    "run the tests once with PORTOLAN_UPDATE_GOLDEN=1 and review the change",
  );
});
