/** Windows are aligned to the epoch: an hour for what lasts, a minute for the live hour. */
export const HOUR_US = 3_600_000_000;
export const MINUTE_US = 60_000_000;

/** Start of the window of `widthUs` that holds `timeUs`; both in microseconds since the epoch. */
export function windowStart(timeUs: number, widthUs: number): number {
  return Math.floor(timeUs / widthUs) * widthUs;
}

/** RFC 3339 in UTC with milliseconds, e.g. `2026-01-31T08:00:00.000Z`. */
export function formatTimeUs(timeUs: number): string {
  return new Date(timeUs / 1000).toISOString();
}

/** @throws {SyntaxError} If `text` is not an RFC 3339 date and time with a zone. */
export function parseTimeUs(text: string): number {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/i.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new SyntaxError(`Cannot parse time "${text}": wanted RFC 3339 with a zone such as 2026-01-31T08:00:00Z`);
  }
  return ms * 1000;
}
