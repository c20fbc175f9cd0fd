import type { Carrier } from "./carrier.js";

export interface LateCarrier extends Carrier {
  /** Connects now instead of with the first message. @throws what `connect` throws */
  connect(): Promise<void>;
}

/**
 * A carrier that is there before its broker: it connects with the first message. While that fails, what is sent is
 * rejected with the reason, and the next message tries again.
 */
export function lateCarrier(connect: () => Promise<Carrier>): LateCarrier {
  let connected: Promise<Carrier> | undefined;
  let isClosed = false;

  function carrier(): Promise<Carrier> {
    if (isClosed) return Promise.reject(new Error("Cannot send: the carrier is closed"));
    connected ??= connect().catch((error: unknown) => {
      connected = undefined;
      throw error;
    });
    return connected;
  }

  return {
    async connect() {
      await carrier();
    },
    send: async (topic, message) => (await carrier()).send(topic, message),
    sendAll: async (topic, messages) => (await carrier()).sendAll(topic, messages),
    subscribe: async (topic, consumption) => (await carrier()).subscribe(topic, consumption),
    async close() {
      isClosed = true;
      await connected?.then(
        (opened) => opened.close(),
        () => {},
      );
    },
  };
}
