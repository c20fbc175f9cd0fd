import type { HostDirection } from "./host-ruleset.js";
import { keyText, PORT_PROTOCOLS } from "./nft-text.js";

/**
 * What the kernel notes of packets that no rule permits, for each policy set and direction: exact counts in sets and
 * counters, where the log is a sample. For every packet
 *
 *     missed = repeated + recorded + those for which a set was full
 *
 * and what is recorded stands in the sets under `seen_` when it was let through, and under `denied_` when it was not.
 */

/** Group of the kernel log to which the sample is sent. */
export const LOG_GROUP = 77;

const EDGES = "flags dynamic,timeout; size 16384; timeout 1h; counter;";
/** Longer than all retransmissions of one attempt to connect take together. */
const ATTEMPTS = "flags dynamic,timeout; size 65536; timeout 2m;";

export const MISS_COUNTERS = ["missed", "repeated", "recorded", "denied"] as const;

const FAMILIES = [4, 6] as const;
const KINDS = ["ports", "icmp", "protocol"] as const;

/** `c_in_missed_shop` */
export function counterName(counter: (typeof MISS_COUNTERS)[number], direction: HostDirection, scope: string): string {
  return `c_${direction}_${counter}_${scope}`;
}

/** `seen_in4_icmp_shop` */
function edgesName(what: "seen" | "denied", direction: HostDirection, end: string, scope: string): string {
  return `${what}_${direction}${end}_${scope}`;
}

const endOf = (family: 4 | 6, kind: (typeof KINDS)[number]) => (kind === "ports" ? `${family}` : `${family}_${kind}`);

function attemptKey(family: 4 | 6): string {
  const ip = family === 4 ? "ip" : "ip6";
  return `${ip} saddr . ${ip} daddr . meta l4proto . th sport . th dport`;
}

/** Declarations of the sets and counters that `noteRules` fill. */
export function noteSets(direction: HostDirection, scope: string): string[] {
  const counters = MISS_COUNTERS.map((counter) => `counter ${counterName(counter, direction, scope)} { }`);
  const sets = FAMILIES.flatMap((family) => [
    ...KINDS.flatMap((kind) =>
      (["seen", "denied"] as const).map(
        (what) =>
          `set ${edgesName(what, direction, endOf(family, kind), scope)} { typeof ${keyText(kind, family)}; ${EDGES} }`,
      ),
    ),
    `set attempts_${direction}${family}_${scope} { typeof ${attemptKey(family)}; ${ATTEMPTS} }`,
  ]);
  return [...counters, ...sets];
}

/**
 * Rules that let every packet return. Retransmissions carry the source port of their attempt: they are counted and leave
 * first, so that a flood of them costs little. A full set ends its rule, so the counter at the end of it says what was
 * really recorded.
 */
export function noteRules(direction: HostDirection, scope: string): string[] {
  const counter = (name: (typeof MISS_COUNTERS)[number]) => `counter name ${counterName(name, direction, scope)}`;
  const isDenied = `meta nfproto @lease_${scope}`;
  const attempts = (family: 4 | 6) => `@attempts_${direction}${family}_${scope}`;
  const rules = [counter("missed"), `${isDenied} ${counter("denied")}`];
  for (const family of FAMILIES) {
    rules.push(
      `meta nfproto ipv${family} meta l4proto ${PORT_PROTOCOLS} ${attemptKey(family)} ${attempts(family)} ${counter("repeated")} return`,
    );
  }
  rules.push(
    `limit rate 20/second burst 50 packets log prefix "portolan ${scope} ${direction} " group ${LOG_GROUP} snaplen 96`,
  );
  for (const family of FAMILIES) {
    const attempt = attemptKey(family);
    const icmp = family === 4 ? 1 : 58;
    for (const [what, is] of [
      ["seen", `meta nfproto ipv${family} meta nfproto != @lease_${scope}`],
      ["denied", `meta nfproto ipv${family} ${isDenied}`],
    ] as const) {
      const update = (kind: (typeof KINDS)[number]) =>
        `update @${edgesName(what, direction, endOf(family, kind), scope)} { ${keyText(kind, family)} } ${counter("recorded")}`;
      rules.push(
        `${is} meta l4proto ${PORT_PROTOCOLS} add ${attempts(family)} { ${attempt} } ${update("ports")} return`,
        `${is} meta l4proto ${icmp} ${update("icmp")} return`,
        `${is} meta l4proto != { 1, 6, 17, 58, 132 } ${update("protocol")} return`,
      );
    }
  }
  return rules;
}
