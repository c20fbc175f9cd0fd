import assert from "node:assert/strict";
import test from "node:test";
import type { Alert, EdgeAlert } from "../../../analyzer/alerts/alert.js";
import { alertOcsf } from "../../../analyzer/alerts/alert-ocsf.js";
import { octetCounted, syslogLine } from "../../../analyzer/alerts/syslog-line.js";
import { webhookSignature } from "../../../analyzer/alerts/webhook-receiver.js";
import { T0 } from "./sample-reports.js";

const SENDER = { host: "chart-1", pid: 42 };

const EDGE: EdgeAlert = {
  kind: "edge",
  uid: "0123456789abcdef0123456789abcdef",
  atUs: T0,
  entry: 3,
  verdict: "audited",
  scope: "shop",
  generation: 7,
  enforcer: "enforcer-1",
  host: "shop/db",
  direction: "ingress",
  client: { address: "10.0.0.9", name: "shop/scanner" },
  server: { address: "10.0.0.2", name: "shop/db" },
  protocol: 6,
  port: 5432,
  attempts: 2,
  firstUs: T0 - 1_000_000,
  lastUs: T0,
};
const MORE: Alert = {
  kind: "more",
  uid: "m",
  atUs: T0,
  edges: 12,
  denied: 3,
  attempts: 40,
  scopes: ["shop"],
  fromEntry: 4,
  untilEntry: 9,
};
const GAP: Alert = { kind: "gap", uid: "g", atUs: T0, lost: 5 };

/** The grammar of RFC 5424 section 6, as far as our messages use it. */
const MESSAGE =
  /^<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([\x21-\x7e]{1,255}) ([\x21-\x7e]{1,48}) ([\x21-\x7e]{1,128}) ([\x21-\x7e]{1,32}) \[([^= \]"]{1,32})((?: [^= \]"]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*)\] \uFEFF([^\n\r\0]*)$/u;

test("syslogLine() writes the message of RFC 5424, exactly", () => {
  assert.equal(
    syslogLine(EDGE, SENDER),
    "<109>1 2026-01-05T08:00:00.000Z chart-1 portolan 42 would-deny " +
      '[portolan@32473 uid="0123456789abcdef0123456789abcdef" scope="shop" generation="7" verdict="audited" ' +
      'direction="ingress" client="shop/scanner" clientAddress="10.0.0.9" server="shop/db" serverAddress="10.0.0.2" ' +
      'service="tcp/5432" host="shop/db" attempts="2"] ' +
      "\uFEFFshop/scanner (10.0.0.9) to shop/db (10.0.0.2) tcp/5432 would be denied by shop: 2 attempts, never counted before",
  );
  assert.match(
    syslogLine({ ...EDGE, verdict: "denied", beforeUs: T0 - 9e9 }, SENDER),
    /^<108>1 .* denied .*, last counted 2026-01-05T05:30:00/,
  );
  assert.match(syslogLine(MORE, SENDER), /^<108>1 .* more \[.* edges="12" denied="3" .*\] \uFEFF12 more edges/);
  assert.match(syslogLine(GAP, SENDER), /^<107>1 .* gap \[.* lost="5"\] \uFEFF5 alerts were lost/);
});

const HOSTILE = [
  'x"] [evil@1 a="b',
  "line\nfeed\r\nand\u0000nul",
  "\u001b[2J\u0007",
  "a\\",
  ']]]\\]\\"',
  "\u202Egnp.exe\u2066",
  "\ud800 lone",
  "<134>1 2026-01-01T00:00:00Z forged - - - - hello",
  "\u2028\u2029\u0085",
  "名前".repeat(500),
  "<script>alert(1)</script>",
];

test("names from the wire break neither the line, nor its structured data, nor the JSON", () => {
  for (const name of HOSTILE) {
    const alert: EdgeAlert = {
      ...EDGE,
      host: name,
      client: { ...EDGE.client, name },
      server: { ...EDGE.server, name },
    };
    const line = syslogLine(alert, { host: name, pid: 1 });
    const parts = MESSAGE.exec(line);
    assert.ok(parts !== null, line);
    assert.equal(parts[7], "portolan@32473");
    assert.equal([...(parts[8] ?? "").matchAll(/ ([^= \]"]+)="((?:[^"\\\]]|\\["\\\]])*)"/g)].length, 12);
    assert.ok(!/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u.test(line), JSON.stringify(line));
    assert.ok(Buffer.byteLength(line) < 4096);
    const counted = octetCounted(line);
    const [length = ""] = counted.split(" ", 1);
    assert.equal(Buffer.from(counted).subarray(length.length + 1).length, Number(length));
    const body = alertOcsf(alert, "1.0.0");
    assert.ok(!body.includes("\n"));
    assert.equal(JSON.parse(body).src_endpoint.name, name);
  }
});

test("webhookSignature() is the HMAC that a receiver computes", () => {
  // printf '1700000000.{}' | openssl dgst -sha256 -hmac secret
  assert.equal(
    webhookSignature("secret", 1_700_000_000, "{}"),
    "v1=b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163",
  );
});

/**
 * What OCSF 1.4 requires, from ocsf-schema: events/base_event.json, events/network/network.json (its constraint wants one
 * endpoint), objects/metadata.json, product.json, network_connection_info.json and profiles/security_control.json.
 */
const REQUIRED = {
  every: ["activity_id", "category_uid", "class_uid", "severity_id", "time", "type_uid", "metadata.version"],
  product: ["metadata.product.name", "metadata.product.vendor_name"],
  network: ["src_endpoint.ip", "dst_endpoint.ip", "connection_info.direction_id", "connection_info.protocol_num"],
  control: ["action_id", "disposition_id", "is_alert", "policy.name"],
};

const at = (value: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);

test("a webhook's body has what OCSF requires of its class and profile", () => {
  for (const alert of [EDGE, { ...EDGE, verdict: "denied" as const, protocol: 1, port: 0x0800 }, MORE, GAP]) {
    const event = JSON.parse(alertOcsf(alert, "1.0.0"));
    const paths = [...REQUIRED.every, ...REQUIRED.product];
    if (alert.kind === "edge") paths.push(...REQUIRED.network, ...REQUIRED.control);
    for (const path of paths) assert.notEqual(at(event, path), undefined, `${alert.kind}: ${path}`);
    assert.equal(event.class_uid, alert.kind === "edge" ? 4001 : 0);
    assert.equal(event.type_uid, event.class_uid * 100 + event.activity_id);
    assert.equal(event.category_uid, Math.floor(event.class_uid / 1000));
    assert.equal(event.metadata.uid, alert.uid);
    if (alert.kind !== "edge") continue;
    assert.deepEqual(event.metadata.profiles, ["security_control"]);
    assert.equal(event.count, 2);
    // Observed and logged, or denied and blocked.
    assert.deepEqual([event.action_id, event.disposition_id], alert.verdict === "denied" ? [2, 2] : [3, 17]);
    assert.equal(event.dst_endpoint.port, alert.protocol === 6 ? 5432 : undefined);
  }
});
