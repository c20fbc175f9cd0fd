import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { get } from "node:http";
import { connect } from "node:net";
import { parseAddress } from "../../model/address.js";
import type { HealthProbe } from "../../policy/trust/enforcement-settings.js";
import type { Prober, Questions } from "./prober.js";

const addressAndPort = ({ address, port }: { address: string; port: number }) =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

/**
 * Calls `late` after the time, unless what is returned is called before. A process that was held up as long itself finds the
 * timer due before it has looked at its sockets: the answer that lies there is heard first.
 */
function after(timeoutMs: number, late: () => void): () => void {
  let isCalledOff = false;
  const lateUnlessCalledOff = () => {
    if (!isCalledOff) late();
  };
  const timer = setTimeout(() => setImmediate(lateUnlessCalledOff), timeoutMs);
  return () => {
    isCalledOff = true;
    clearTimeout(timer);
  };
}

/** Resolves when a new connection is made; a refusal is no answer. */
function tcp(address: string, port: number, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    const callOff = after(timeoutMs, () => socket.destroy(new Error(`no answer in ${timeoutMs} ms`)));
    socket.once("connect", () => {
      socket.resetAndDestroy(); // leaves no TIME_WAIT behind on a host that is asked all day
      resolve();
    });
    socket.once("error", reject);
    socket.once("close", () => {
      callOff();
      reject(new Error("closed"));
    });
  });
}

/** Resolves on any status below 500. */
function http(address: string, port: number, path: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get({ host: address, port, path, agent: false }, (response) => {
      const { statusCode = 0 } = response;
      response.resume();
      request.destroy();
      if (statusCode < 500) resolve();
      else reject(new Error(`HTTP status ${statusCode}`));
    });
    const callOff = after(timeoutMs, () => request.destroy(new Error(`no answer in ${timeoutMs} ms`)));
    request.once("error", reject);
    request.once("close", callOff);
  });
}

/**
 * A query for the A record of `name`: header with recursion desired and one question.
 *
 *     id(2) flags(2) questions(2) answers(2) authorities(2) additional(2) | (length label)* 0 type(2) class(2)
 */
function dnsQuery(id: number, name: string): Buffer {
  const labels = name.split(".").filter((label) => label !== "");
  const question = labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, "latin1")]);
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(0x0100, 2);
  header.writeUInt16BE(1, 4);
  return Buffer.concat([header, ...question, Buffer.from([0, 0, 1, 0, 1])]);
}

/** Resolves on any answer to a query over UDP, whatever it says: that somebody is there is what is asked. */
function dns(address: string, name: string, timeoutMs: number): Promise<void> {
  const { family } = parseAddress(address);
  const id = randomInt(0x10000);
  return new Promise((resolve, reject) => {
    const socket = createSocket(family === 4 ? "udp4" : "udp6");
    const end = (error?: Error) => {
      callOff();
      socket.close();
      if (error === undefined) resolve();
      else reject(error);
    };
    const callOff = after(timeoutMs, () => end(new Error(`no answer in ${timeoutMs} ms`)));
    socket.once("error", end);
    socket.on("message", (message) => {
      if (message.length >= 12 && message.readUInt16BE(0) === id) end();
    });
    socket.connect(53, address, () => socket.send(dnsQuery(id, name)));
  });
}

function ask(probe: HealthProbe, timeoutMs: number): Promise<void> {
  switch (probe.kind) {
    case "tcp":
      return tcp(probe.address, probe.port, timeoutMs);
    case "http":
      return http(probe.address, probe.port, probe.path, timeoutMs);
    case "dns":
      return dns(probe.address, probe.name, timeoutMs);
  }
}

function probeText(probe: HealthProbe): string {
  switch (probe.kind) {
    case "tcp":
      return `probe tcp ${addressAndPort(probe)}`;
    case "http":
      return `probe http ${addressAndPort(probe)}${probe.path}`;
    case "dns":
      return `probe dns ${probe.name} at ${probe.address}`;
  }
}

/** Why the promise failed, with what was asked; nothing when it did not. */
async function reason(what: string, asked: Promise<void>): Promise<string[]> {
  try {
    await asked;
    return [];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return [`${what}: ${code ?? message}`];
  }
}

export const socketProber: Prober = {
  async ask({ controllers, families, probes, timeoutMs }: Questions) {
    const ofFamily = families.map(async (family) => {
      const asked = controllers.filter(({ address }) => parseAddress(address).family === family);
      if (asked.length === 0) return [`no controller has an IPv${family} address`];
      const answers = await Promise.all(
        asked.map((each) => reason(`controller ${addressAndPort(each)}`, tcp(each.address, each.port, timeoutMs))),
      );
      return answers.some((reasons) => reasons.length === 0) ? [] : answers.flat();
    });
    const ofProbes = probes.map((probe) => reason(probeText(probe), ask(probe, timeoutMs)));
    return (await Promise.all([...ofFamily, ...ofProbes])).flat();
  },
};
