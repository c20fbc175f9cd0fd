/**
 * - `permission`: the user may not capture. `no-interface`: it is not there, or it is down.
 * - `no-program`: neither of the programs that can capture is installed. `failed`: anything else.
 */
export type LiveCaptureErrorCode = "permission" | "no-interface" | "no-program" | "failed";

/** Why a live capture cannot begin or go on. `message` is one line for people: what, where, what was wanted. */
export class LiveCaptureError extends Error {
  override readonly name = "LiveCaptureError";

  constructor(
    readonly code: LiveCaptureErrorCode,
    readonly interfaceName: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** The exit code of a command that ends because of this. */
  get exitCode(): 2 | 3 {
    return this.code === "no-interface" ? 2 : 3;
  }
}

const PERMISSION = /permission|not permitted|EPERM|EACCES/i;
const NO_INTERFACE = /no such device|not up|disappeared|went down|ENODEV|ENXIO|doesn't exist/i;

/** The error behind what a capturing program wrote before it ended. */
export function captureErrorOf(interfaceName: string, complaint: string): LiveCaptureError {
  if (PERMISSION.test(complaint)) {
    const wanted = "permission to capture is missing; run as root, or give the program the capability cap_net_raw";
    return new LiveCaptureError("permission", interfaceName, `Cannot capture on "${interfaceName}": ${wanted}`);
  }
  if (NO_INTERFACE.test(complaint)) {
    const wanted = "there is no such interface, or it is down; `ip link` lists those of this host";
    return new LiveCaptureError("no-interface", interfaceName, `Cannot capture on "${interfaceName}": ${wanted}`);
  }
  const reason = complaint.trim().split("\n").at(-1) ?? "";
  const said = reason === "" ? "the capturing program ended without a word" : reason;
  return new LiveCaptureError("failed", interfaceName, `Cannot capture on "${interfaceName}": ${said}`);
}
