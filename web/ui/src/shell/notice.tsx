import type { ComponentChildren } from "preact";
import type { Problem } from "../../../api/contract.js";
import { go } from "../state/location.js";

/** An empty, failed or waiting place: what is the matter, and what to do about it. */
export function Notice({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="notice">
      <svg width="44" height="44" viewBox="-22 -22 44 44" aria-hidden="true" class="notice-rose">
        <circle r="15" />
        <path d="M0-21L4-4 21 0 4 4 0 21-4 4-21 0-4-4z" />
      </svg>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function ProblemNotice({ problem, onRetry }: { problem: Problem; onRetry?: () => void }) {
  return (
    <div role="alert" class="notice-place">
      <Notice title={problem.title}>
        <p>{problem.detail}</p>
        {problem.span !== undefined && (
          <button type="button" class="button" onClick={() => go({ q: "" })}>
            Clear the query
          </button>
        )}
        {onRetry !== undefined && problem.span === undefined && (
          <button type="button" class="button" onClick={onRetry}>
            Try again
          </button>
        )}
      </Notice>
    </div>
  );
}
