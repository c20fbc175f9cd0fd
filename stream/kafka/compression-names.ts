/** The codecs of messages, best first. */
export const COMPRESSIONS = ["lz4", "zstd", "gzip", "none"] as const;
export type Compression = (typeof COMPRESSIONS)[number];
