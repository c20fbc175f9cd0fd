// npm run demo [-- ARG ...]: installs and builds what is missing, then runs `portolan demo` on the checked-in capture.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { prepare, root } from "./prepare.mjs";

prepare();
const child = spawn(process.execPath, [join(root, "bin/portolan"), "demo", ...process.argv.slice(2)], {
  stdio: "inherit",
});
// The terminal sends Ctrl-C to both; the child ends the demo and we report how.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 143)));
