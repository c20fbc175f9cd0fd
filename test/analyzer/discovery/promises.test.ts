import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { parseProposal, renderProposal } from "../../../analyzer/proposal-file.js";
import { compilePolicy } from "../../../policy/verdict.js";
import { Scene } from "./scene.js";
import { workload } from "./small-network.js";

const PORTS = [8000, 8001, 53] as const;
const labels = fc.dictionary(
  fc.constantFrom("app", "tier", "env", "zone", "pod-template-hash"),
  fc.constantFrom("a", "b"),
  {
    maxKeys: 4,
  },
);
const hosts = fc.array(fc.tuple(fc.constantFrom("n1", "n2"), labels), { minLength: 2, maxLength: 7 });
const talks = fc.array(
  fc.record({
    client: fc.nat(8),
    server: fc.nat(6),
    port: fc.constantFrom(...PORTS),
    units: fc.uniqueArray(fc.nat(9), { minLength: 1, maxLength: 4 }),
    isAnswered: fc.boolean(),
  }),
  { minLength: 1, maxLength: 14 },
);

interface Told {
  readonly scene: Scene;
  readonly answered: ReadonlySet<string>;
  readonly ends: readonly string[];
}

/** Random hosts and talks; an end beyond the hosts is an address outside. At most three failures a client, so nobody scans. */
function tell(
  rows: readonly (readonly [string, Record<string, string>])[],
  said: readonly { client: number; server: number; port: number; units: number[]; isAnswered: boolean }[],
): Told {
  const workloads = rows.map(([namespace, own], i) => workload(`${namespace}/w${i}`, own, `10.0.0.${i + 1}`));
  const scene = new Scene(workloads);
  const answered = new Set<string>();
  const failures = new Map<number, number>();
  const clientOf = (i: number) => workloads[i]?.id ?? `203.0.113.${i}`;
  for (const { client, server, port, units, isAnswered } of said) {
    const target = workloads[server % workloads.length]?.id as string;
    if (clientOf(client) === target) continue;
    const what = `${port === 53 ? "udp" : "tcp"}/${port}`;
    const failed = failures.get(client) ?? 0;
    if (!isAnswered && failed >= 3) continue;
    if (!isAnswered) failures.set(client, failed + 1);
    scene.see(clientOf(client), target, what, { units, outcome: isAnswered ? "answered" : "refused" });
    if (isAnswered) answered.add(`${clientOf(client)} ${target} ${what}`);
  }
  return {
    scene,
    answered,
    ends: [...new Set([...workloads.map(({ id }) => id), ...said.map(({ client }) => clientOf(client))])],
  };
}

test("what was answered is permitted, and what is permitted beyond that is counted as a widening", () => {
  fc.assert(
    fc.property(hosts, talks, (rows, said) => {
      const { scene, answered, ends } = tell(rows, said);
      const proposal = scene.propose();
      const judge = scene.judge(proposal);
      for (const cell of answered) {
        const [client, server, what] = cell.split(" ") as [string, string, string];
        assert.equal(judge(client, server, what), "open", `${cell} was answered`);
      }
      const engine = compilePolicy(proposal.policySet, scene.inventory);
      const asEnd = (text: string) =>
        text.includes("/") ? ({ kind: "workload", id: text } as const) : ({ kind: "address", address: text } as const);
      let unseen = 0;
      for (const client of ends) {
        for (const { id } of scene.inventory.workloads) {
          if (client === id) continue;
          for (const [protocol, name] of [
            [6, "tcp"],
            [17, "udp"],
          ] as const) {
            for (const port of PORTS) {
              const { verdict, rules } = engine.verdict({ client: asEnd(client), server: asEnd(id), protocol, port });
              // A cell that no rule is about is open only because a person has yet to isolate its ends.
              if (verdict === "allowed" && rules.length > 0 && !answered.has(`${client} ${id} ${name}/${port}`))
                unseen++;
            }
          }
        }
      }
      const declared = proposal.policySet.rules.reduce(
        (sum, rule) => sum + rule.widenings.reduce((part, { cells }) => part + cells, 0),
        0,
      );
      assert.ok(unseen <= declared, `${unseen} cells are open and were not seen, ${declared} are declared`);
    }),
    { numRuns: 400 },
  );
});

test("every proposal is a valid policy.json, with unique rule ids and sorted content", () => {
  fc.assert(
    fc.property(hosts, talks, (rows, said) => {
      const { scene } = tell(rows, said);
      const proposal = scene.propose();
      const text = renderProposal(proposal);
      assert.equal(renderProposal(parseProposal(text)), text);
      const ids = proposal.policySet.rules.map(({ id }) => id);
      assert.deepEqual(ids, [...new Set(ids)].sort());
    }),
    { numRuns: 200 },
  );
});
