/** The part of a broker connection that takes a request of our own. */
export interface RequestConnection {
  readonly connectionPool: { send(request: object): Promise<unknown> };
}

const METADATA = 3;
const UNKNOWN_TOPIC = 3;
/** The first version that tells topic ids, and the first whose frame has tagged fields everywhere. */
const VERSION = 10;

/** Reads the compact types of newer Kafka requests; past the end everything throws a RangeError. */
class CompactReader {
  private at = 0;
  constructor(private readonly bytes: Buffer) {}

  skip(count: number): void {
    this.take(count);
  }
  private take(count: number): Buffer {
    if (this.at + count > this.bytes.length) throw new RangeError("the answer ends early");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
  length(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.take(1).readUInt8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a length is beyond reason");
  }
  /** Compact strings and arrays carry their length plus one; 0 is null. */
  text(): string {
    return this.take(Math.max(0, this.length() - 1)).toString();
  }
  tags(): void {
    for (let count = this.length(); count > 0; count--) {
      this.length();
      this.skip(this.length());
    }
  }
  code(): number {
    return this.take(2).readInt16BE();
  }
  uuid(): string {
    return this.take(16).toString("base64url");
  }
}

function request(topic: string): Buffer {
  const name = Buffer.from(topic);
  const size = name.length + 1; // below 250, hence one or two bytes
  // The tag of the request header, one topic (no id, its name, no tags), no creation, no rights, no tags.
  return Buffer.concat([
    Buffer.from([0, 2]),
    Buffer.alloc(16),
    Buffer.from(size < 128 ? [size] : [128 | (size & 127), size >>> 7]),
    name,
    Buffer.from([0, 0, 0, 0, 0]),
  ]);
}

function parse(answer: Buffer): { cluster: string; topic: string } {
  const reader = new CompactReader(answer);
  reader.tags(); // of the response header
  reader.skip(4); // throttle time
  for (let count = reader.length() - 1; count > 0; count--) {
    reader.skip(4);
    reader.text();
    reader.skip(4);
    reader.text();
    reader.tags();
  }
  const cluster = reader.text();
  reader.skip(4); // controller
  reader.length();
  const error = reader.code();
  reader.text();
  if (error === UNKNOWN_TOPIC) throw new Error("the topic is not there");
  if (error !== 0) throw new Error(`Kafka does not tell which log the topic is: error ${error}`);
  return { cluster, topic: reader.uuid() };
}

/**
 * Names the log of a topic for ever: cluster id and topic id, so that offsets noted before a topic was made anew, or on
 * another cluster, are not taken for this one's. kafkajs knows no request that tells the topic id, hence our own.
 */
export async function logIdentity(broker: RequestConnection, topic: string): Promise<string> {
  const body = request(topic);
  const { cluster, topic: id } = (await broker.connectionPool.send({
    request: {
      apiKey: METADATA,
      apiVersion: VERSION,
      apiName: "Metadata",
      encode: async () => ({ buf: body, buffer: body }), // as kafkajs's own encoder looks
    },
    response: { decode: async (answer: Buffer) => parse(answer), parse: async (answer: unknown) => answer },
  })) as { cluster: string; topic: string };
  return `kafka/${cluster}/${id}`;
}
