import assert from "node:assert/strict";
import test from "node:test";
import { canonicalJson } from "../../../policy/trust/canonical-json.js";
import { parseKeyring, renderKeyring } from "../../../policy/trust/keyring.js";
import { generateSigningKey, parseSigningKey } from "../../../policy/trust/signing-key.js";
import { keyringOf, person } from "./people.js";

test("canonicalJson() gives equal values one spelling, members by UTF-16 code units", () => {
  assert.equal(
    canonicalJson({ b: [1, -0, 1e21, 0.1], a: "\u20ac\n", "\u{1f600}": null, "\ufb33": true, x: undefined }),
    '{"a":"\u20ac\\n","b":[1,0,1e+21,0.1],"x":null}'.replace(',"x":null}', ',"\u{1f600}":null,"\ufb33":true}'),
  );
  assert.equal(canonicalJson({ a: 1, b: { d: 2, c: 3 } }), canonicalJson({ b: { c: 3, d: 2 }, a: 1 }));
  assert.throws(() => canonicalJson({ a: Number.NaN }), RangeError);
});

test("a keyring reads back as it was written, and one that is wrong anywhere is refused whole", async () => {
  const alice = await person("alice", ["author"]);
  const bob = await person("bob", ["approver"]);
  const ring = keyringOf([alice, bob]);
  assert.deepEqual(await parseKeyring(renderKeyring(ring)), ring);
  const cases: [string, object][] = [
    ["thumbprint", { ...ring, keys: [{ ...alice.trusted, id: bob.trusted.id }] }],
    ["twice", { ...ring, keys: [alice.trusted, alice.trusted] }],
    ["keys.0.roles.0", { ...ring, keys: [{ ...alice.trusted, roles: ["god"] }] }],
    ["keys.0.person", { ...ring, keys: [{ ...alice.trusted, person: "a\u001b[2J" }] }],
    ["keys.0.notAfter", { ...ring, keys: [{ ...alice.trusted, notAfter: "soon" }] }],
    ["fourEyes", { version: 1, keys: [] }],
    ["Unrecognized", { ...ring, trustAll: true }],
  ];
  for (const [what, value] of cases) {
    await assert.rejects(parseKeyring(JSON.stringify(value)), (error: Error) => error.message.includes(what));
  }
});

test("a signing key that is damaged is refused without showing any of it", async () => {
  const { privateFile } = await generateSigningKey();
  const { d } = JSON.parse(privateFile) as { d: string };
  const { id } = await generateSigningKey();
  const damaged = [privateFile.slice(0, -20), privateFile.replace(/"kid":"[^"]+"/, `"kid":"${id}"`), "{}", ""];
  for (const text of damaged) {
    await assert.rejects(parseSigningKey(text), (error: Error) => {
      assert.ok(!`${error.message} ${error.stack} ${String(error.cause)}`.includes(d.slice(0, 12)));
      return /^Cannot read signing key: wanted /.test(error.message);
    });
  }
});
