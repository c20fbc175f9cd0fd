import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { parseInventory } from "../../model/inventory-file.js";
import { formatInventory } from "../../model/inventory-format.js";
import {
  type InventoryMessage,
  InventoryState,
  inventoryChanges,
  inventoryMessages,
} from "../../model/inventory-message.js";

const FULL = parseInventory(`
version: 1
namespaces:
  - { name: shop, labels: { team: blue } }
workloads:
  - { namespace: shop, name: web, kind: Deployment, serviceAccount: web, labels: { app: web },
      ports: [{ name: http, protocol: tcp, port: 8080 }],
      addresses: [10.0.0.1, { address: 10.0.0.9, from: 2026-01-05T08:00:00Z, until: 2026-01-05T09:00:00Z }] }
  - { id: vm-7, namespace: shop, name: db, addresses: [10.0.0.2] }
shared:
  - { namespace: shop, name: vip, addresses: [10.0.1.1], members: [shop/web] }
groups:
  - { name: office, cidrs: [192.0.2.0/24] }
lifelines:
  management: [192.0.2.7/32]
`);

const entry = (key: string, document: unknown): InventoryMessage => ({
  key,
  value:
    typeof document === "string"
      ? new TextEncoder().encode(document)
      : new TextEncoder().encode(JSON.stringify(document)),
});
const stateOf = (messages: readonly InventoryMessage[]) => {
  const state = new InventoryState();
  for (const message of messages) state.apply(message);
  return state;
};

test("entries add up to the inventory they were made from, in any order and however often they come", () => {
  const messages = inventoryMessages(FULL);
  assert.deepEqual(
    messages.map(({ key }) => key),
    ["@group/office", "@lifelines", "@namespace/shop", "@shared/shop/vip", "shop/web", "vm-7"],
  );
  fc.assert(
    fc.property(fc.array(fc.nat(messages.length - 1)), (order) => {
      const arrived = [...order.map((i) => messages[i] as InventoryMessage), ...messages];
      assert.deepEqual(stateOf(arrived).inventory(), FULL);
    }),
  );
});

test("only what changed is sent, and what has gone is taken back first", () => {
  const present = new Map(inventoryMessages(FULL).map(({ key, value }) => [key, value]));
  assert.deepEqual(inventoryChanges(present, FULL), []);
  const wanted = parseInventory(
    formatInventory(FULL)
      .replace("app: web", "app: front")
      .replace(/shared:(\n {2}.*)+\n/, ""),
  );
  const changes = inventoryChanges(present, wanted);
  assert.deepEqual(
    changes.map(({ key, value }) => [key, value.length > 0]),
    [
      ["@shared/shop/vip", false],
      ["shop/web", true],
    ],
  );
  assert.deepEqual(stateOf([...inventoryMessages(FULL), ...changes]).inventory(), wanted);
});

test("a message that is no entry is refused by name and changes nothing", () => {
  const state = stateOf(inventoryMessages(FULL));
  const cases: readonly (readonly [InventoryMessage, RegExp])[] = [
    [entry("shop/web", "{"), /^Cannot read inventory entry "shop\/web": wanted JSON in UTF-8$/],
    [entry("shop/web", { version: 2, namespace: "shop", name: "web" }), /version: wanted 1/],
    [entry("shop/web", { version: 1, namespace: "shop", name: "api" }), /its document is of "shop\/api"$/],
    [entry("shop/web", { version: 1, namespace: "shop", name: "web", adresses: [] }), /wanted one of the known fields/],
    [entry("@planet/mars", { version: 1 }), /^Cannot read inventory entry "@planet\/mars": its key is none/],
    [entry("@group/external", { version: 1, name: "external", cidrs: [] }), /wanted a lower-case name/],
  ];
  for (const [message, wanted] of cases)
    assert.throws(() => state.apply(message), { name: "SyntaxError", message: wanted });
  assert.deepEqual(state.inventory(), FULL);
});

test("entries that contradict each other are told of, and whole again with the entry that sets them right", () => {
  const state = stateOf(inventoryMessages(FULL));
  state.apply(entry("shop/new", { version: 1, namespace: "shop", name: "new", addresses: ["10.0.0.2"] }));
  assert.throws(() => state.inventory(), {
    name: "SyntaxError",
    message: /^Cannot use inventory entry "vm-7": wanted one owner of 10\.0\.0\.2 at a time/,
  });
  state.apply({ key: "vm-7", value: new Uint8Array(0) });
  assert.deepEqual(
    state.inventory().workloads.map(({ id }) => id),
    ["shop/new", "shop/web"],
  );
});
