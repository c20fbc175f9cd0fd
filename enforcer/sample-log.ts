import { spawn } from "node:child_process";
import { formatAddress } from "../model/address.js";
import type { VerdictExample } from "../model/verdict-report.js";
import { LOG_GROUP } from "../policy/formats/nftables/miss-text.js";
import { readSamplePacket } from "./sample-packet.js";

/** One missed packet as an illustration: which scope missed it, and what it was. */
export interface Sample {
  readonly scope: string;
  readonly example: VerdictExample;
}

export interface SampleLogOptions {
  readonly wrap?: readonly string[]; // see NftOptions
  readonly onSample: (sample: Sample) => void;
  /** Called once, in one line, when there will be no samples: nothing else changes by it. */
  readonly onAbsent: (why: string) => void;
}

/*
 * pcap from tcpdump, in the byte order of this machine, microseconds:
 *
 *     file header    magic 4, version 4, zone 4, accuracy 4, snap length 4, link type 4 (239 = NFLOG)
 *     each packet    seconds 4, microseconds 4, captured 4, length 4, then `captured` bytes
 */
const FILE_HEADER = 24;
const PACKET_HEADER = 16;
const NFLOG = 239;
const LONGEST_PACKET = 4096;

/**
 * Reads the sample of missed packets that our rules send to the kernel's log, through tcpdump, which needs to be installed
 * and to be the only reader of the group. Counts never come from here: the log may lose any packet, and without it all else
 * works. Returns how to stop.
 */
export function startSampleLog({ wrap = [], onSample, onAbsent }: SampleLogOptions): () => void {
  const command = [
    ...wrap,
    "tcpdump",
    "-n",
    "-U",
    "--immediate-mode",
    "-s",
    "256",
    "-i",
    `nflog:${LOG_GROUP}`,
    "-w",
    "-",
  ];
  const [program, ...args] = command as [string, ...string[]];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let isStopped = false;
  let complaint = "";
  let rest = Buffer.alloc(0);
  let isBegun = false;
  const end = (why: string) => {
    if (!isStopped) onAbsent(`no examples of missed packets: ${why}`);
    isStopped = true;
    child.kill("SIGKILL");
  };
  child.once("error", (error) => end(`tcpdump cannot be started (${error.message})`));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = `${complaint}${text}`.slice(-500);
  });
  child.once("close", () => end(complaint.trim().split("\n").at(-1) ?? "tcpdump ended"));
  child.stdout.on("data", (chunk: Buffer) => {
    if (isStopped) return;
    rest = Buffer.concat([rest, chunk]);
    if (!isBegun) {
      if (rest.length < FILE_HEADER) return;
      if (rest.readUInt32LE(0) !== 0xa1b2c3d4 || rest.readUInt32LE(20) !== NFLOG)
        return end("tcpdump writes another format");
      rest = rest.subarray(FILE_HEADER);
      isBegun = true;
    }
    for (;;) {
      if (rest.length < PACKET_HEADER) return;
      const captured = rest.readUInt32LE(8);
      if (captured > LONGEST_PACKET) return end("tcpdump writes packets that are too long");
      if (rest.length < PACKET_HEADER + captured) return;
      const atUs = rest.readUInt32LE(0) * 1e6 + rest.readUInt32LE(4);
      const packet = readSamplePacket(rest.subarray(PACKET_HEADER, PACKET_HEADER + captured));
      rest = rest.subarray(PACKET_HEADER + captured);
      if (packet === undefined) continue;
      const { scope, direction, source, destination, interface: name, ...what } = packet;
      const example = {
        direction,
        client: formatAddress(source),
        server: formatAddress(destination),
        ...what,
        interface: name,
        atUs,
      };
      onSample({ scope, example });
    }
  });
  return () => {
    isStopped = true;
    child.kill("SIGKILL");
  };
}
