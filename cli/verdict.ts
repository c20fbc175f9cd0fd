import { readFileSync } from "node:fs";
import { type CompiledPolicy, compileProgram } from "../policy/decision/compiled-policy.js";
import type { Decision } from "../policy/decision/question.js";
import { PLANE_READERS } from "../policy/formats/plane.js";
import { readManifests } from "./read-manifests.js";
import { readText } from "./read-text.js";
import { parseQuestions, type TrafficQuestion } from "./traffic-questions.js";
import type { VerdictOptions } from "./verbs/verdict.js";

const STRICTNESS = { allowed: 0, audited: 1, denied: 2 } as const;

/**
 * The decision for a question whose names may stand for several pods: the strictest of all pairs, so that "allowed" holds for
 * every one. Where both names are one workload with replicas, the question is about two of them.
 */
function decide(policy: CompiledPolicy, { clients, servers, service }: TrafficQuestion): Decision {
  const pairs = clients.flatMap((client) => servers.map((server) => [client, server] as const));
  const strangers = pairs.filter(([client, server]) => client !== server);
  const decisions = (strangers.length > 0 ? strangers : pairs).map(([client, server]) =>
    policy.explain(client, server, service),
  );
  return decisions.reduce((a, b) => (STRICTNESS[b.verdict] > STRICTNESS[a.verdict] ? b : a));
}

function answerLine(question: TrafficQuestion, decision: Decision): string {
  const { verdict, ingress, egress, rules } = decision;
  const policies = [...new Set([...egress.policies, ...ingress.policies])].sort();
  const reasons = { egress: egress.reason, ingress: ingress.reason };
  return JSON.stringify({
    ...question.asked,
    verdict,
    ingress: ingress.verdict,
    egress: egress.verdict,
    policies,
    rules,
    reasons,
  });
}

export function verdict(options: VerdictOptions): void {
  const { cluster, program } = PLANE_READERS.get(options.target)!(readManifests(options.resources));
  const policy = compileProgram(program, cluster.inventory);
  const isStdin = options.queries === "-";
  const text = isStdin ? readFileSync(0, "utf8") : readText("questions", options.queries);
  const questions = parseQuestions(isStdin ? "-" : options.queries, text, policy, cluster);
  for (const question of questions) process.stdout.write(`${answerLine(question, decide(policy, question))}\n`);
}
