import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

function openssl(folder: string, ...args: string[]): void {
  const { status, stderr } = spawnSync("openssl", args, { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`Cannot make a test certificate: openssl ${args.join(" ")}: ${stderr}`);
}

function certificate(folder: string, name: string, subject: string): void {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", `${name}.key`];
  const names = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-addext", "basicConstraints=CA:FALSE"];
  const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2", "-out", `${name}.pem`];
  openssl(folder, "req", "-x509", ...key, "-subj", subject, ...names, ...signed);
}

/**
 * A certificate authority of the test in `folder`: ca.pem; server.keystore.pem for the broker (127.0.0.1, localhost);
 * client.pem and client.key for mutual TLS.
 */
export function authority(folder: string): void {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key"];
  openssl(folder, "req", "-x509", ...key, "-subj", "/CN=test authority", "-days", "2", "-out", "ca.pem");
  certificate(folder, "server", "/CN=broker");
  certificate(folder, "client", "/CN=collector");
  const [privateKey, chain] = ["server.key", "server.pem"].map((name) => readFileSync(join(folder, name), "utf8"));
  writeFileSync(join(folder, "server.keystore.pem"), `${privateKey}${chain}`);
}
