import { InvalidArgumentError } from "commander";

const UNITS: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Reads a number of bytes such as `512M` or `2G`, in powers of 1024, that is at least `least`. */
export function byteSize(least: number): (text: string) => number {
  return (text) => {
    const match = /^(\d{1,12})([KMGT])?$/.exec(text);
    const bytes = Number(match?.[1]) * (UNITS[match?.[2] ?? ""] ?? 1);
    if (match === null || bytes < least || !Number.isSafeInteger(bytes)) {
      throw new InvalidArgumentError(`wanted bytes such as 512M or 2G, at least ${least / 2 ** 10}K`);
    }
    return bytes;
  };
}
