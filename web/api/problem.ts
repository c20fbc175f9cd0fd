import type { QuerySpan } from "../../model/graph-query.js";
import { GraphQueryError } from "../../model/graph-query.js";
import type { Problem } from "./contract.js";

/** An answer that is not what was asked for, told in one sentence. */
export class HttpProblem extends Error {
  constructor(
    readonly status: number,
    detail: string,
  ) {
    super(detail);
    this.name = "HttpProblem";
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: "The question cannot be read",
  403: "Not from here",
  404: "There is no such thing",
  409: "Not now",
  503: "Too many listeners",
};

function problem(status: number, detail: string, span?: QuerySpan): Problem {
  const title = TITLES[status] ?? (status < 500 ? "The question cannot be answered" : "The answer failed");
  return { type: "about:blank", title, status, detail, ...(span === undefined ? {} : { span }) };
}

interface Complaint {
  readonly instancePath?: string;
  readonly message?: string;
}

/** Translates whatever a route threw; validation complaints come as fastify gives them. */
export function problemOf(error: unknown): Problem {
  if (error instanceof GraphQueryError) return problem(400, error.message, error.span);
  if (error instanceof HttpProblem) return problem(error.status, error.message);
  if (error instanceof SyntaxError) return problem(400, error.message);
  if (error instanceof Error) {
    const { validation, statusCode } = error as Error & { validation?: readonly Complaint[]; statusCode?: number };
    const first = validation?.[0];
    if (first !== undefined) {
      const name = (first.instancePath ?? "").replace(/^\//, "");
      return problem(
        400,
        `Cannot read ${name === "" ? "the request" : `"${name}"`}: ${first.message ?? "not as wanted"}`,
      );
    }
    return problem(statusCode ?? 500, error.message);
  }
  return problem(500, "Cannot answer: an unknown failure");
}
