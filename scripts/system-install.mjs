// Installs the Debian packages that the whole test suite runs for real: servers, packet tools, a browser.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fail, root, say } from "./prepare.mjs";

const POLICY = "/usr/sbin/policy-rc.d";

export const isRoot = process.getuid?.() === 0;

/** The command with `sudo` in front where we are not root. */
export function asRoot(command, args) {
  return isRoot ? [command, args] : ["sudo", ["-E", command, ...args]];
}

function isInstalled(name) {
  const { stdout } = spawnSync("dpkg-query", ["-W", "-f=${Status}", name], { encoding: "utf8" });
  return stdout?.includes("install ok installed") ?? false;
}

function runAsRoot(command, args, env = {}) {
  const [file, words] = asRoot(command, args);
  return spawnSync(file, words, { stdio: ["inherit", 2, 2], env: { ...process.env, ...env } }).status === 0;
}

/** Installs what is missing of scripts/system-packages.json, each entry a package or a list of alternatives. */
export function installSystemPackages() {
  const wanted = JSON.parse(readFileSync(join(root, "scripts/system-packages.json"), "utf8")).packages;
  const missing = wanted.map((entry) => [entry].flat()).filter((names) => !names.some(isInstalled));
  if (missing.length === 0) return;
  if (!existsSync("/usr/bin/apt-get")) {
    fail(`Cannot install ${missing.flat().join(", ")}: the whole suite wants Debian or Ubuntu with apt-get`);
  }
  if (!isRoot && spawnSync("sudo", ["-V"], { stdio: "ignore" }).status !== 0) {
    fail(`Cannot install ${missing.flat().join(", ")}: run as root, or install sudo`);
  }
  say(`installing Debian packages ${isRoot ? "as root" : "by sudo"}: ${missing.map((names) => names[0]).join(" ")}`);
  // The servers among them are started by the tests on ports of their own, never by the installation.
  const guards = !existsSync(POLICY);
  if (guards) runAsRoot("sh", ["-c", `printf '#!/bin/sh\\nexit 101\\n' > ${POLICY} && chmod 755 ${POLICY}`]);
  try {
    if (!runAsRoot("apt-get", ["update", "-qq"]))
      fail("Cannot read the package lists: apt-get update failed, see above");
    for (const names of missing) {
      const isDone = names.some((name) =>
        runAsRoot("apt-get", ["install", "-y", "-qq", "--no-install-recommends", name], {
          DEBIAN_FRONTEND: "noninteractive",
        }),
      );
      if (!isDone) fail(`Cannot install ${names.join(" or ")}: apt-get failed, see above`);
    }
  } finally {
    if (guards) runAsRoot("rm", ["-f", POLICY]);
  }
}
