import assert from "node:assert/strict";
import test from "node:test";
import { Command, Option } from "commander";
import { parseConfigFile } from "../../../cli/config/parse-config-file.js";
import { flagOnly, verbsOf } from "../../../cli/config/settings.js";
import { parseListen } from "../../../cli/listen.js";

/** Two verbs with one option of each kind. */
function sample(): Command {
  const watch = new Command("watch")
    .option("-I, --interface <name...>", "where")
    .option("--kafka <host:port[,host:port]>", "brokers")
    .option("--listen <host:port>", "where to serve", parseListen)
    .addOption(new Option("--format <format>", "how").choices(["text", "json"]))
    .option("--no-serve", "stop early")
    .addOption(flagOnly(new Option("--yes", "consent")))
    .action(() => {});
  const publish = new Command("publish").option("--listen <host:port>", "where", parseListen).action(() => {});
  return new Command().addCommand(watch).addCommand(new Command("inventory").addCommand(publish));
}

const verbs = verbsOf(sample());
const parse = (source: string) => parseConfigFile(source, "p.yaml", verbs);

const GOOD = `
common:
  listen: 8480            # a number is text here
watch:
  interface: [eth0, eth1]
  kafka: [a:9092, b:9092]
  serve: false
  format: json
inventory publish:
`;

test("a file is read by section, each value with its place", () => {
  const { file, problems } = parse(GOOD);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    [...file.sections].map(([name, entries]) => [
      name,
      [...entries].map(([key, { said, place }]) => [key, said, `${place.line}:${place.column}`]),
    ]),
    [
      ["common", [["listen", ["8480"], "3:11"]]],
      [
        "watch",
        [
          ["interface", ["eth0", "eth1"], "5:14"],
          ["kafka", ["a:9092", "b:9092"], "6:10"],
          ["serve", false, "7:10"],
          ["format", ["json"], "8:11"],
        ],
      ],
      ["inventory publish", []],
    ],
  );
});

for (const [name, source] of [
  ["nothing", ""],
  ["a comment alone", "# nothing yet\n"],
  ["sections without a body", "watch:\ncommon:\n"],
] as const) {
  test(`a file of ${name} sets nothing and is valid`, () => assert.deepEqual(parse(source).problems, []));
}

test("values may be said once and meant twice, by alias", () => {
  const { file, problems } = parse("common:\n  listen: &a 127.0.0.1:1\nwatch:\n  listen: *a\n");
  assert.deepEqual(problems, []);
  assert.deepEqual(file.sections.get("watch")?.get("listen")?.said, ["127.0.0.1:1"]);
});

const WRONG: readonly (readonly [source: string, wanted: readonly string[]])[] = [
  ["wotch:\n", [`p.yaml:1:1: Cannot read "wotch": unknown section, wanted one of common, watch, inventory publish`]],
  [
    "watch:\n  interfce: eth0\n",
    [
      `p.yaml:2:3: Cannot read "watch.interfce": unknown setting, wanted an option of portolan watch: interface, kafka, listen, format, serve`,
    ],
  ],
  [
    "watch:\n  yes: true\n",
    [`p.yaml:2:3: Cannot read "watch.yes": unknown setting, wanted an option of portolan watch:`],
  ],
  [
    "common:\n  nosuch: 1\n",
    [`p.yaml:2:3: Cannot read "common.nosuch": unknown setting, wanted an option of some verb`],
  ],
  ["watch:\n  serve: maybe\n", [`p.yaml:2:10: Cannot read "watch.serve": wanted true or false`]],
  ["watch:\n  listen: [1, 2]\n", [`p.yaml:2:11: Cannot read "watch.listen": wanted one text or number`]],
  ["watch:\n  listen: true\n", [`p.yaml:2:11: Cannot read "watch.listen": wanted one text or number`]],
  ["watch:\n  listen:\n", [`p.yaml:2:10: Cannot read "watch.listen": wanted one text or number`]],
  ["watch:\n  interface: [a, {}]\n", [`p.yaml:2:14: Cannot read "watch.interface": wanted a list of texts, or one`]],
  [
    "watch:\n  listen: here\n",
    [`p.yaml:2:11: Cannot read "watch.listen" "here": wanted HOST:PORT such as 127.0.0.1:8480 or [::1]:8480`],
  ],
  ["common:\n  listen: 99999\n", [`p.yaml:2:11: Cannot read "common.listen" "99999": wanted HOST:PORT`]],
  ["watch:\n  format: xml\n", [`p.yaml:2:11: Cannot read "watch.format" "xml": Allowed choices are text, json.`]],
  ["watch: 7\n", [`p.yaml:1:8: Cannot read "watch": wanted a mapping of options`]],
  ["- watch\n", ["p.yaml:1:1: Cannot read settings: wanted a mapping of sections"]],
  ["watch: {serve: true\n", ["p.yaml:2:1: Cannot read settings: "]],
  ["watch:\n  serve: true\n  serve: false\n", ["p.yaml:3:3: Cannot read settings: Map keys must be unique"]],
  ["a: 1\nwatch:\n  b: 2\n  serve: 3\n", ["p.yaml:1:1: ", "p.yaml:3:3: ", "p.yaml:4:10: "]],
];

for (const [source, wanted] of WRONG) {
  test(`${JSON.stringify(source)} is refused by place`, () => {
    const lines = parse(source).problems.map(({ message }) => message);
    assert.equal(lines.length, wanted.length, lines.join("\n"));
    wanted.forEach((start, i) => assert.ok(lines[i]?.startsWith(start), `${lines[i]}\nwanted ${start}`));
  });
}

test("hostile settings end in lines, not in a crash or a hang", () => {
  const bomb = `a: &a [${"x,".repeat(50)}]\n${Array.from({ length: 30 }, (_, i) => `b${i}: &b${i} [*a, *a, *a]\n`).join("")}`;
  for (const source of [
    bomb,
    "watch: &w {listen: *w}\n",
    "\u0000",
    "? [a]\n: b\n",
    "watch: *nobody\n",
    "%YAML 9\n--- 1",
  ]) {
    const { problems } = parse(source);
    assert.ok(problems.length > 0, JSON.stringify(source.slice(0, 40)));
    for (const { message } of problems) assert.match(message, /^p\.yaml:\d+:\d+: Cannot read [^\n]+$/);
  }
});
