import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "./shell.js";

/** Makes the administrators' SSH key `ssh.key` with `authorized_keys`, and the hosts' key `ssh-host.key`. */
export async function makeSshKeys(folder: string): Promise<void> {
  for (const file of ["ssh.key", "ssh-host.key"]) {
    await must("dropbearkey", ["-t", "ed25519", "-f", join(folder, file)]);
  }
  const shown = await must("dropbearkey", ["-y", "-f", join(folder, "ssh.key")]);
  const line = shown.split("\n").find((text) => text.startsWith("ssh-ed25519 "));
  if (line === undefined) throw new Error('Cannot read the public SSH key: dropbearkey printed no "ssh-ed25519" line');
  writeFileSync(join(folder, "authorized_keys"), `${line}\n`);
}

/** Makes an authority, `ca.pem`, and per name `<name>.pem` with `<name>.key` signed by it, good for two days. */
export async function makeCertificates(folder: string, names: readonly string[]): Promise<void> {
  const at = (file: string) => join(folder, file);
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await must("openssl", [
    ...["req", "-x509", ...newKey, "-days", "2", "-subj", "/CN=Lab authority"],
    ...["-keyout", at("ca.key"), "-out", at("ca.pem")],
  ]);
  for (const name of names) {
    const request = ["req", ...newKey, "-subj", `/CN=${name}`, "-keyout", at(`${name}.key`), "-out", at(`${name}.csr`)];
    await must("openssl", request);
    writeFileSync(at(`${name}.ext`), `subjectAltName=DNS:${name}\n`);
    await must("openssl", [
      ...["x509", "-req", "-days", "2", "-in", at(`${name}.csr`), "-extfile", at(`${name}.ext`)],
      ...["-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-out", at(`${name}.pem`)],
    ]);
  }
}
