/** A condition of deny, and where it stands. */
interface Gate {
  readonly name: string;
  readonly isMet: boolean;
  readonly value: string;
  readonly wanted: string;
}

/** What an enforcer answers to one question. */
export interface ControlAnswer {
  readonly isDone: boolean;
  readonly text: string;
  readonly unmet?: readonly Gate[];
  readonly status?: unknown;
}

export const LONGEST_ANSWER = 8 * 1024 * 1024;

function isGate(value: unknown): value is Gate {
  const gate = value as Partial<Gate> | null;
  return (
    typeof gate?.name === "string" &&
    typeof gate.isMet === "boolean" &&
    typeof gate.value === "string" &&
    typeof gate.wanted === "string"
  );
}

/**
 * Reads the line of an enforcer. By hand, not by a schema: whoever pauses a host in an emergency shall not wait for a
 * library that takes longer to load than all else.
 * @throws {SyntaxError} If it is no answer.
 */
export function parseControlAnswer(text: string): ControlAnswer {
  const { isDone, text: said, unmet, status } = (JSON.parse(text) ?? {}) as Partial<ControlAnswer>;
  if (typeof isDone !== "boolean" || typeof said !== "string") throw new SyntaxError("wanted isDone and text");
  if (unmet !== undefined && !(Array.isArray(unmet) && unmet.every(isGate))) throw new SyntaxError("wanted gates");
  return {
    isDone,
    text: said,
    ...(unmet === undefined ? {} : { unmet }),
    ...(status === undefined ? {} : { status }),
  };
}
