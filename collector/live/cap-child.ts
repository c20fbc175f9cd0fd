// A process of its own around the package `cap`: it aborts its process when the interface vanishes, and crashes in workers.
// Arguments: interface, snap length. Writes pcap to stdout, ends when stdin ends.
import { writeSync } from "node:fs";
import { createRequire } from "node:module";
import { CONTROL_FILTER } from "./control-filter.js";

/** The part of the package that is used; it has no types of its own that fit. */
interface CapModule {
  readonly Cap: new () => {
    open(device: string, filter: string, ringBytes: number, buffer: Buffer): string;
    setMinBytes?(bytes: number): void;
    on(event: "packet", listener: (bytes: number, isTruncated: boolean) => void): void;
    close(): void;
  };
}

/** Link types by the names that the package gives them, https://www.tcpdump.org/linktypes.html */
const LINK_TYPES: Readonly<Record<string, number>> = {
  NULL: 0,
  ETHERNET: 1,
  RAW: 101,
  LINKTYPE_LINUX_SLL: 113,
};
const RING_BYTES = 128 << 20; // a slot is 64 KiB where the interface offloads, so 32 MiB were seen to lose bursts of 6000 packets
const LARGEST_PACKET = 65_535;
const OUTPUT_BYTES = 256 << 10;
const FLUSH_EVERY_MS = 100;
const MOST_LOOKS_AT_END = 15; // counted, as a machine that holds this process up takes no packet from it

const [device, snaplenText] = process.argv.slice(2) as [string, string];
const snaplen = Math.min(Number(snaplenText), LARGEST_PACKET);
const output = Buffer.alloc(OUTPUT_BYTES);
let filled = 0;
let packets = 0;

function flush(): void {
  let done = 0;
  while (done < filled) {
    try {
      done += writeSync(1, output, done, filled - done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") continue;
      process.exit(0); // nobody reads any more
    }
  }
  filled = 0;
}

function u32(value: number): void {
  filled = output.writeUInt32LE(value, filled);
}

function begin(): void {
  const { Cap } = createRequire(import.meta.url)("cap") as CapModule;
  const cap = new Cap();
  const packet = Buffer.alloc(LARGEST_PACKET);
  const link = cap.open(device, CONTROL_FILTER, RING_BYTES, packet);
  cap.setMinBytes?.(0);
  const linkType = LINK_TYPES[link];
  if (linkType === undefined) throw new Error(`link type ${link} is not known`);
  for (const field of [0xa1b2c3d4, 0x00040002, 0, 0, snaplen, linkType]) u32(field);
  flush();
  cap.on("packet", (bytes) => {
    const captured = Math.min(bytes, snaplen);
    if (filled + 16 + captured > output.length) flush();
    const nowMs = Date.now(); // the package does not tell when a packet came
    u32(Math.floor(nowMs / 1000));
    u32((nowMs % 1000) * 1000);
    u32(captured);
    u32(bytes);
    packets++;
    packet.copy(output, filled, 0, captured);
    filled += captured;
  });
  setInterval(flush, FLUSH_EVERY_MS);
  process.stderr.write("listening\n");
  process.stdin.resume();
  process.stdin.on("end", () => {
    // What is in the kernel's ring is still wanted: the end comes when a while has brought nothing.
    let looks = 0;
    let before = -1;
    setInterval(() => {
      const isQuiet = packets === before;
      before = packets;
      flush();
      if (isQuiet || ++looks > MOST_LOOKS_AT_END) process.exit(0); // without closing: the package can hang there
    }, FLUSH_EVERY_MS);
  });
}

try {
  begin();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
