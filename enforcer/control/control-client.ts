import { connect } from "node:net";
import { type ControlAnswer, LONGEST_ANSWER, parseControlAnswer } from "./control-answer.js";
import type { ControlRequest } from "./control-protocol.js";

/** Thrown when no enforcer listens: then there is nobody to ask, and the kernel can be changed without one. */
export class NoEnforcer extends Error {}

export function askEnforcer(path: string, request: ControlRequest, timeoutMs = 15_000): Promise<ControlAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = "";
    socket.setEncoding("utf8").setTimeout(timeoutMs, () => {
      socket.destroy(new NoEnforcer(`the enforcer at "${path}" does not answer`));
    });
    socket.once("connect", () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on("data", (more: string) => {
      text += more;
      if (text.length > LONGEST_ANSWER) socket.destroy(new Error("Cannot read the enforcer's answer: it is too long"));
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      const isNobody = error.code === "ENOENT" || error.code === "ECONNREFUSED";
      reject(isNobody ? new NoEnforcer(`no enforcer listens at "${path}"`, { cause: error }) : error);
    });
    socket.once("end", () => {
      try {
        resolve(parseControlAnswer(text));
      } catch (error) {
        reject(new Error("Cannot read the enforcer's answer", { cause: error }));
      }
    });
  });
}
