import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "../../../api/contract.js";

export type Resource<T> =
  | { readonly kind: "loading"; readonly data?: T } // what was there before stays until the answer comes
  | { readonly kind: "failed"; readonly problem: Problem; readonly data?: T }
  | { readonly kind: "ready"; readonly data: T };

/** Grows when the reader asks for what is new; every resource is then asked again. */
export const refresh = signal(0);

const KEPT_ANSWERS = 40;
const answers = new Map<string, unknown>();

refresh.subscribe(() => answers.clear());

function lost(error: unknown): Problem {
  const detail = error instanceof Error ? error.message : String(error);
  return {
    type: "about:blank",
    title: "The server does not answer",
    status: 0,
    detail: `Cannot reach the server: ${detail}. The page tries again when it is back.`,
  };
}

/** @throws What the API says is wrong, as a `Problem`. */
export async function askApi<T>(url: string, signal?: AbortSignal): Promise<T> {
  const reply = await fetch(url, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    throw signal?.aborted === true ? error : lost(error);
  });
  if (!reply.ok) throw (await reply.json().catch(() => lost(new Error(`status ${reply.status}`)))) as Problem;
  return (await reply.json()) as T;
}

/**
 * What the API answers to `url`, again whenever it or `refresh` changes; `undefined` asks nothing. With `everyMs` it is
 * asked again and again, and no earlier answer is taken for today's.
 */
export function useResource<T>(url: string | undefined, everyMs?: number): Resource<T> {
  const [resource, setResource] = useState<Resource<T>>({ kind: "loading" });
  const last = useRef<T | undefined>(undefined);
  const turn = refresh.value;
  const [tick, setTick] = useState(0);
  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(() => setTick((before) => before + 1), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  useEffect(() => {
    if (url === undefined) {
      last.current = undefined;
      setResource({ kind: "loading" });
      return;
    }
    const before = last.current === undefined ? {} : { data: last.current };
    const known = answers.get(url) as T | undefined;
    if (known !== undefined && everyMs === undefined) {
      last.current = known;
      setResource({ kind: "ready", data: known });
      return;
    }
    setResource({ kind: "loading", ...before });
    const abort = new AbortController();
    askApi<T>(url, abort.signal).then(
      (data) => {
        answers.set(url, data);
        for (const oldest of answers.keys()) {
          if (answers.size <= KEPT_ANSWERS) break;
          answers.delete(oldest);
        }
        last.current = data;
        setResource({ kind: "ready", data });
      },
      (problem: unknown) => {
        if (!abort.signal.aborted) setResource({ kind: "failed", problem: problem as Problem, ...before });
      },
    );
    return () => abort.abort();
  }, [url, turn, everyMs, tick]);
  return resource;
}
