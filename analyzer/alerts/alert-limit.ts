/** A bucket of tokens: `perMinute` of them fit, and as many flow in each minute. */
export interface AlertBucket {
  readonly perMinute: number;
  readonly tokens: number;
  readonly atMs: number; // when it held them, by a clock that only goes forward
}

export function fullBucket(perMinute: number, atMs: number): AlertBucket {
  return { perMinute, tokens: perMinute, atMs };
}

/** Takes as many whole tokens as are wanted and there. */
export function takeTokens(
  { perMinute, tokens, atMs }: AlertBucket,
  wanted: number,
  nowMs: number,
): { readonly taken: number; readonly bucket: AlertBucket } {
  const there = Math.min(perMinute, tokens + (Math.max(0, nowMs - atMs) * perMinute) / 60_000);
  const taken = Math.min(wanted, Math.floor(there));
  return { taken, bucket: { perMinute, tokens: there - taken, atMs: nowMs } };
}
