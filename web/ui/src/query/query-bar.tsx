import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import {
  conjuncts,
  formatGraphQuery,
  type GraphQuery,
  GraphQueryError,
  parseGraphQuery,
} from "../../../../model/graph-query.js";
import type { CompleteAnswer } from "../../../api/contract.js";
import { shown } from "../format.js";
import { go, place } from "../state/location.js";
import { askApi } from "../state/resource.js";

interface Reading {
  readonly query: GraphQuery | undefined;
  readonly error: GraphQueryError | undefined;
}

function readQuery(text: string): Reading {
  try {
    return { query: parseGraphQuery(text), error: undefined };
  } catch (error) {
    if (error instanceof GraphQueryError) return { query: undefined, error };
    throw error;
  }
}

const COMPLETION_PAUSE_MS = 90;

/** The query with completion from the data, its parts as chips, and errors that point at their token. */
export function QueryBar() {
  const committed = place.value.q;
  const [draft, setDraft] = useState(committed);
  const [completions, setCompletions] = useState<CompleteAnswer | undefined>(undefined);
  const [active, setActive] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const asking = useRef<number | undefined>(undefined);
  const { query, error } = useMemo(() => readQuery(draft), [draft]);

  useEffect(() => setDraft(committed), [committed]);

  const commit = (text: string) => {
    setCompletions(undefined);
    setDraft(text);
    if (readQuery(text).error === undefined) go({ q: text.trim() });
  };

  const suggest = (text: string) => {
    window.clearTimeout(asking.current);
    asking.current = window.setTimeout(() => {
      const at = input.current?.selectionStart ?? text.length;
      const params = new URLSearchParams({ level: place.peek().level, q: text, at: String(at) });
      askApi<CompleteAnswer>(`/api/complete?${params}`).then(
        (answer) => {
          if (document.activeElement !== input.current || input.current?.value !== text) return;
          setCompletions(answer);
          setActive(-1);
        },
        () => setCompletions(undefined), // completion is a help; without it the query still works
      );
    }, COMPLETION_PAUSE_MS);
  };

  const take = (index: number) => {
    const option = completions?.options[index];
    if (completions === undefined || option === undefined) return;
    const isFacet = /[=>]$/.test(option.text);
    const head = draft.slice(0, completions.from) + option.text;
    const next = head + (isFacet ? "" : " ") + draft.slice(completions.to).replace(/^\s+/, "");
    setDraft(next);
    setCompletions(undefined);
    const caret = head.length + (isFacet ? 0 : 1);
    window.setTimeout(() => {
      input.current?.focus();
      input.current?.setSelectionRange(caret, caret);
      if (isFacet) suggest(next);
    });
    if (!isFacet && readQuery(next).error === undefined) go({ q: next.trim() });
  };

  const press = (event: KeyboardEvent) => {
    const options = completions?.options.length ?? 0;
    if (event.key === "ArrowDown" && options === 0) suggest(draft);
    else if (event.key === "ArrowDown" && options > 0) setActive((active + 1) % options);
    else if (event.key === "ArrowUp" && options > 0) setActive((active + options - 1 + (active < 0 ? 1 : 0)) % options);
    else if (event.key === "Tab" && options > 0 && !event.shiftKey) take(Math.max(0, active));
    else if (event.key === "Enter") {
      if (active >= 0) take(active);
      else commit(draft);
    } else if (event.key === "Escape" && completions !== undefined) setCompletions(undefined);
    else if (event.key === "Escape") input.current?.blur();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const chips = query === undefined ? [] : conjuncts(query);
  const without = (index: number): string =>
    formatGraphQuery({ kind: "and", parts: chips.filter((_, i) => i !== index), span: { start: 0, end: 0 } });

  const isOpen = completions !== undefined && completions.options.length > 0;
  return (
    <div class="query">
      <div class="query-box" data-invalid={error === undefined ? undefined : ""}>
        <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" class="query-lens">
          <circle cx="6.5" cy="6.5" r="4.5" />
          <path d="M10 10l4.5 4.5" />
        </svg>
        <div class="query-field">
          <input
            ref={input}
            id="query"
            type="text"
            role="combobox"
            aria-label="Query"
            aria-expanded={isOpen}
            aria-controls="query-options"
            aria-autocomplete="list"
            aria-activedescendant={isOpen && active >= 0 ? `query-option-${active}` : undefined}
            aria-invalid={error !== undefined}
            aria-describedby={error === undefined ? undefined : "query-error"}
            placeholder="Ask for edges, such as: ns=shop port=443 !dst=dns-1 state=would-deny"
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            value={draft}
            onInput={(event) => {
              setDraft(event.currentTarget.value);
              suggest(event.currentTarget.value);
            }}
            onFocus={(event) => suggest(event.currentTarget.value)}
            onBlur={() => {
              window.clearTimeout(asking.current);
              setCompletions(undefined);
              if (error === undefined && draft.trim() !== committed) commit(draft);
            }}
            onKeyDown={press}
          />
          {error !== undefined && (
            <div class="query-ruler" aria-hidden="true">
              {draft.slice(0, error.span.start)}
              <mark>{draft.slice(error.span.start, Math.max(error.span.end, error.span.start + 1)) || " "}</mark>
            </div>
          )}
        </div>
        {draft !== "" && (
          <button type="button" class="query-clear" aria-label="Clear the query" onClick={() => commit("")}>
            ×
          </button>
        )}
        <kbd title="Press / to type a query">/</kbd>
      </div>
      <ul id="query-options" role="listbox" aria-label="Completions" class="query-options" hidden={!isOpen}>
        {completions?.options.map((option, i) => (
          <li
            key={option.text}
            id={`query-option-${i}`}
            role="option"
            aria-selected={i === active}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => take(i)}
          >
            <code>{shown(option.text)}</code>
            <span>{option.detail}</span>
          </li>
        ))}
      </ul>
      {error !== undefined && (
        <p id="query-error" class="query-error" role="alert">
          {error.message}
        </p>
      )}
      {error === undefined && chips.length > 0 && (
        <ul class="chips" aria-label="Conditions">
          {chips.map((part, i) => {
            const text = part.kind === "or" ? `(${formatGraphQuery(part)})` : formatGraphQuery(part);
            return (
              <li key={text}>
                <button
                  type="button"
                  class="chip"
                  onClick={() => commit(without(i))}
                  aria-label={`Remove ${shown(text)}`}
                >
                  <code>{shown(text)}</code>
                  <span aria-hidden="true">×</span>
                </button>
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}
