import { Command, Option } from "commander";
import { EXIT } from "../failure.js";

export interface FlowsOptions {
  readonly format: "jsonl" | "csv";
  readonly summary?: true;
}

const FIELDS = `
One flow is all packets of one five-tuple, both directions, until it closes or falls silent. Packets in a tunnel give a flow for
each IP header: the outermost has depth 0. Flows are sorted by time of the first packet, then by tuple.

Fields of one object (CSV has the same in columns):
  protocol            IANA name in lower case such as tcp, or the number in decimal
  originator          who opened the flow: address, port (0 where there is none, as in ICMP),
                      packets and bytes that it sent; bytes are IP bytes, header included
  responder           who was addressed: the same
  startUs, endUs      first and last packet, microseconds since 1970-01-01 UTC
  outcome             answered    the responder accepted or replied
                      refused     it, or a router, said no: RST to a SYN, ABORT, ICMP unreachable
                      unanswered  nothing came back while the capture ran
                      midstream   the opening was not seen, so none of these can be claimed
  evidence            how the originator is known. Seen: syn, syn-ack, init (SCTP, DCCP), request (the payload tells a
                      question from an answer). Guessed: service-port (one port is a known service), first-packet
  names               of the responder: name and source, which is dns (an answer that the originator was given), sni
                      (TLS, QUIC) or http-host. Text of the wire: not to be trusted
  vlan                VLAN ids, outermost first
  tunnel              encapsulations, outermost first: kind, id (VNI, key, label ...) where there is one, and
                      outer "source>destination" of the enclosing IP packet
  depth               how many IP headers enclose the flow's own

Exit codes: ${EXIT.done} all was read; ${EXIT.input} bad usage, or a file could not be read to its end: the flows up to there are printed, then
one line on stderr says what was wanted; ${EXIT.environment} the output could not be written.

Examples:
  portolan flows monday.pcapng.gz | head
  portolan flows rotated-*.pcap --format csv > flows.csv
  tcpdump -i eth0 -w - | portolan flows -`;

export function flowsCommand(): Command {
  return new Command("flows")
    .description("print the flow records of captures")
    .argument("<file...>", "pcap or pcapng, also gzipped; - for standard input")
    .addOption(
      new Option("-f, --format <format>", "jsonl: one JSON object a line; csv")
        .choices(["jsonl", "csv"])
        .default("jsonl"),
    )
    .option("--json", "the same as --format jsonl")
    .option("--summary", "print totals as one JSON object on stderr: packets, dropped by reason, capture loss")
    .addHelpText("after", FIELDS)
    .action(async (files: string[], options: FlowsOptions) => (await import("../flows.js")).printFlows(files, options));
}
