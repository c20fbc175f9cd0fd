import { useEffect, useRef } from "preact/hooks";
import { QUERY_FACETS } from "../../../../model/graph-query.js";
import { hasLetterKeys, setLetterKeys } from "../state/preferences.js";

const KEYS: readonly (readonly [string, string])[] = [
  ["/", "type a query"],
  ["?", "this help"],
  ["g m, g t, g x", "map, table, matrix"],
  ["g e, g p, g n, g s", "explore, proposals, enforcement, sensors"],
  ["[ and ]", "move the time window back and on"],
  ["j and k", "down and up in a list that has the focus"],
  ["Enter", "open what is under the cursor"],
  ["Esc", "close: completions, help, then the selection"],
  ["arrows, +, -, 0", "move, zoom and fit the map that has the focus"],
];

/** Keys and the query language, in a dialog that gives the focus back. */
export function Help({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={onClose}>
      <form method="dialog">
        <button type="submit" class="close" aria-label="Close the help">
          ×
        </button>
      </form>
      <h2 id="help-title">Keys</h2>
      <dl class="help-keys">
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input
          type="checkbox"
          checked={hasLetterKeys.value}
          onChange={(event) => setLetterKeys(event.currentTarget.checked)}
        />
        Single keys outside of lists (/, ?, g, [ and ])
      </label>
      <h2>Query</h2>
      <p>
        Conditions side by side must all hold: <code>ns=payments port=443 !dst=coredns</code>. Also <code>or</code>,{" "}
        <code>not</code>, parentheses, lists <code>port=80,443</code>, ranges <code>port=8000-8099</code>, parts{" "}
        <code>app~web</code> and comparisons <code>bytes&gt;10M</code>. A word alone is looked for in names and
        services.
      </p>
      <div class="help-facets" tabIndex={0} role="region" aria-label="Facets of the query">
        <dl>
          {Object.entries(QUERY_FACETS).map(([facet, { about }]) => (
            <div key={facet}>
              <dt>
                <code>{facet}</code>
              </dt>
              <dd>{about}</dd>
            </div>
          ))}
          <div>
            <dt>
              <code>label.KEY</code>
            </dt>
            <dd>label of either end; src.label.KEY or dst.label.KEY for one</dd>
          </div>
        </dl>
      </div>
    </dialog>
  );
}
