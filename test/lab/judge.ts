import { PROTOCOL_NUMBERS } from "../../model/protocol.js";
import type { Inventory } from "../../model/workload.js";
import type { CompiledPolicy } from "../../policy/decision/compiled-policy.js";
import type { Decision, QueryEnd } from "../../policy/decision/question.js";
import { OUTSIDE, OUTSIDE_KNOCKER, PARTNER } from "./company.js";
import type { TruthRow } from "./truth.js";

/** A row of the truth for one pair of ends, judged. */
interface JudgedRow {
  readonly row: TruthRow;
  readonly client: QueryEnd;
  readonly server: QueryEnd;
  readonly decision: Decision;
}

/** A workload at each of its addresses; one that has given them away is judged as itself, wherever it may come back. */
function endsOf(end: string, row: TruthRow, inventory: Inventory): readonly QueryEnd[] {
  const workload = inventory.workloads.find(({ id }) => id === end);
  if (workload !== undefined) {
    const now = workload.addresses.filter(({ untilUs }) => untilUs === undefined);
    if (now.length === 0) return [{ kind: "workload", id: end }];
    return now.map(({ address }) => ({ kind: "workload", id: end, address }));
  }
  const addresses = end === PARTNER.name ? PARTNER.addresses : OUTSIDE.addresses;
  // The knocker is no customer: nothing is intended for it, but what must never be proposed holds for it too.
  const meant = addresses.filter((address) => row.expect === "never" || address !== OUTSIDE_KNOCKER);
  return meant.map((address) => ({ kind: "address", address }));
}

function familyOf(end: QueryEnd): 4 | 6 | undefined {
  return end.address === undefined ? undefined : end.address.includes(":") ? 6 : 4;
}

/** Asks the policy about a row of the truth between each two addresses of one family that its ends have. */
function judgeRow(row: TruthRow, policy: CompiledPolicy): readonly JudgedRow[] {
  const { inventory } = policy;
  const wanted = row.protocol === "icmp" ? 4 : row.protocol === "icmpv6" ? 6 : undefined;
  const judged: JudgedRow[] = [];
  for (const client of endsOf(row.client, row, inventory)) {
    for (const server of endsOf(row.server, row, inventory)) {
      const families = new Set([familyOf(client), familyOf(server), wanted].filter((family) => family !== undefined));
      if (families.size > 1) continue;
      const decision = policy.verdict({ client, server, protocol: PROTOCOL_NUMBERS[row.protocol], port: row.port });
      judged.push({ row, client, server, decision });
    }
  }
  return judged;
}

/** How a policy stands to a truth: how many pairs were judged, and those it judges otherwise, as lines. */
export interface Agreement {
  readonly allowed: number; // pairs of `allow` rows that are allowed
  readonly refused: number; // pairs of `never` rows that are not
  readonly wrong: readonly string[];
}

export function compareWithTruth(truth: readonly TruthRow[], policy: CompiledPolicy): Agreement {
  const judged = truth.flatMap((row) => judgeRow(row, policy));
  const isRight = ({ row, decision }: JudgedRow) => (row.expect === "allow") === (decision.verdict === "allowed");
  const right = judged.filter(isRight);
  return {
    allowed: right.filter(({ row }) => row.expect === "allow").length,
    refused: right.filter(({ row }) => row.expect === "never").length,
    wrong: judged.filter((each) => !isRight(each)).map(formatJudged),
  };
}

function formatJudged({ row, client, server, decision }: JudgedRow): string {
  const ends = `${row.client} (${client.address ?? "nowhere"}) to ${row.server} (${server.address ?? "nowhere"})`;
  const why = `egress: ${decision.egress.reason}; ingress: ${decision.ingress.reason}`;
  return `${row.expect}, but ${decision.verdict}: ${ends} ${row.protocol} ${row.port}; ${why}`;
}
