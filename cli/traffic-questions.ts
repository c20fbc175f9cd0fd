import { parseAddress, tryParseAddress } from "../model/address.js";
import { PROTOCOL_NUMBERS, parseProtocol } from "../model/protocol.js";
import type { CompiledPolicy } from "../policy/decision/compiled-policy.js";
import { servicePoint } from "../policy/decision/service-line.js";
import type { Cluster } from "../policy/formats/kubernetes/cluster.js";
import { EXIT, Failure } from "./failure.js";

/** One line of a file of questions: what was asked, as it was written, and what that means. */
export interface TrafficQuestion {
  readonly asked: Readonly<Record<string, unknown>>;
  readonly clients: readonly number[]; // points that the client's name stands for, at least one
  readonly servers: readonly number[];
  readonly service: number; // point of the service line
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The address family that an end is bound to; 0 for a pod, which is asked about at an address that fits. */
function familyOf(end: unknown, which: string): 0 | 4 | 6 {
  if (!isRecord(end) || typeof end.ip !== "string") return 0;
  const address = tryParseAddress(end.ip);
  if (address === undefined) throw new SyntaxError(`${which} "${end.ip}": wanted an IPv4 or IPv6 address`);
  return address.family;
}

/** The points of `{"namespace","pod"}` or `{"ip"}`. A pod is also known by the name of the controller that made it. */
function pointsOf(
  end: unknown,
  which: string,
  family: 0 | 4 | 6,
  policy: CompiledPolicy,
  cluster: Cluster,
): readonly number[] {
  if (isRecord(end) && typeof end.ip === "string") return [policy.pointOfAddress(parseAddress(end.ip))];
  if (!isRecord(end) || typeof end.pod !== "string") {
    throw new SyntaxError(`${which}: wanted {"namespace","pod"} or {"ip"}`);
  }
  const namespace = end.namespace ?? "default";
  const name = `${String(namespace)}/${end.pod}`;
  const workloads = cluster.workloadsByName.get(name);
  if (workloads === undefined) throw new SyntaxError(`${which} "${name}": wanted a pod or a workload of the resources`);
  return workloads.map((workload) => policy.pointOfWorkload(workload.id, family));
}

function wholeNumber(value: unknown, name: string, most: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > most) {
    throw new SyntaxError(`${name} "${String(value)}": wanted a whole number 0..${most}`);
  }
  return value;
}

function serviceOf(asked: Readonly<Record<string, unknown>>): number {
  if (typeof asked.protocol !== "string") throw new SyntaxError("protocol: wanted a name such as tcp");
  const protocol = parseProtocol(asked.protocol);
  const isIcmp = protocol === PROTOCOL_NUMBERS.icmp || protocol === PROTOCOL_NUMBERS.icmpv6;
  if (isIcmp)
    return servicePoint(
      protocol,
      wholeNumber(asked.type ?? asked.port ?? 8, "type", 255),
      wholeNumber(asked.code ?? 0, "code", 255),
    );
  const hasPort =
    protocol === PROTOCOL_NUMBERS.tcp || protocol === PROTOCOL_NUMBERS.udp || protocol === PROTOCOL_NUMBERS.sctp;
  return servicePoint(protocol, hasPort ? wholeNumber(asked.port, "port", 65535) : 0);
}

/**
 * Reads questions, one JSON object to a line; empty lines are passed over.
 * @throws {Failure} For the first line that is not a question, with its number.
 */
export function parseQuestions(
  path: string,
  text: string,
  policy: CompiledPolicy,
  cluster: Cluster,
): TrafficQuestion[] {
  return text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    try {
      const asked: unknown = JSON.parse(line);
      if (!isRecord(asked)) throw new SyntaxError("line: wanted a JSON object");
      const families = [familyOf(asked.client, "client"), familyOf(asked.server, "server")] as const;
      const family = families[0] === 0 ? families[1] : families[0];
      if (families.every((each) => each !== 0) && families[0] !== families[1]) {
        throw new SyntaxError("server: wanted an address of the client's family");
      }
      return [
        {
          asked,
          clients: pointsOf(asked.client, "client", family, policy, cluster),
          servers: pointsOf(asked.server, "server", family, policy, cluster),
          service: serviceOf(asked),
        },
      ];
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new Failure(`${path}:${i + 1}: Cannot read question, ${error.message}`, EXIT.input, { cause: error });
    }
  });
}
