import { useState } from "preact/hooks";
import type { BundleAnswer } from "../../../api/contract.js";
import { bytes, plural, shown } from "../format.js";
import { Notice, ProblemNotice } from "../shell/notice.js";
import { go, place } from "../state/location.js";
import { announce } from "../state/preferences.js";
import { refresh, useResource } from "../state/resource.js";

const TITLES: Readonly<Record<string, string>> = {
  kubernetes: "Kubernetes NetworkPolicy",
  nftables: "nftables",
  cilium: "CiliumNetworkPolicy",
  calico: "Calico",
  istio: "Istio AuthorizationPolicy",
};

const LOSS_WORDS = { widened: "allows more", dropped: "leaves out", conditional: "holds only if" } as const;

/** One line of a file: comments, keys and the rest, told apart by weight and colour. */
function Line({ text }: { text: string }) {
  const clean = text.replace(/[\p{Cc}\p{Cf}]/gu, (char) => (char === "\t" ? "\t" : shown(char)));
  if (/^\s*#/.test(clean)) return <span class="code-comment">{clean}</span>;
  const key = /^(\s*(?:- )?)([\w./-]+:)(.*)$/.exec(clean);
  if (key === null) return <span>{clean}</span>;
  return (
    <span>
      {key[1]}
      <span class="code-key">{key[2]}</span>
      {key[3]}
    </span>
  );
}

function FileText({ text }: { text: string }) {
  const lines = text.replace(/\n$/, "").split("\n");
  return (
    <div class="code" tabIndex={0} role="region" aria-label="File">
      <pre>
        {lines.map((line, i) => (
          <code key={i}>
            <Line text={line} />
            {"\n"}
          </code>
        ))}
      </pre>
    </div>
  );
}

/** The files to apply, to read before they are taken. */
export function BundleView({ targets }: { targets: readonly string[] }) {
  const { item } = place.value;
  const [isCopied, setCopied] = useState(false);
  const [wanted, ...rest] = item.split(":");
  const target = targets.find((name) => name === wanted) ?? targets[0] ?? "";
  const resource = useResource<BundleAnswer>(target === "" ? undefined : `/api/bundles/${encodeURIComponent(target)}`);
  const files = resource.kind === "ready" ? resource.data.files : [];
  const losses = resource.kind === "ready" ? resource.data.losses : [];
  const file = files.find(({ path }) => path === rest.join(":")) ?? files[0];
  const base = `/api/bundles/${encodeURIComponent(target)}`;
  if (target === "") return <Notice title="No target is set up" />;
  return (
    <div class="bundle">
      <div class="bundle-bar">
        <div class="segments" role="group" aria-label="Target">
          {targets.map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={name === target}
              onClick={() => go({ item: name }, "replace")}
            >
              {TITLES[name] ?? shown(name)}
            </button>
          ))}
        </div>
        <a class="button primary" href={`${base}?format=tar`} download={`portolan-${target}.tar`}>
          Download all as tar
        </a>
      </div>
      {resource.kind === "failed" && <ProblemNotice problem={resource.problem} onRetry={() => refresh.value++} />}
      {resource.kind === "loading" && <p class="quiet">Rendering the files…</p>}
      {losses.length > 0 && (
        <details class="losses">
          <summary>
            <span aria-hidden="true">▲</span> {plural(losses.length, "thing")} this target cannot say
          </summary>
          <ul>
            {losses.map((loss) => (
              <li key={`${loss.ruleId} ${loss.kind} ${loss.text}`}>
                <strong>{LOSS_WORDS[loss.kind]}</strong> <code>{shown(loss.ruleId)}</code> {shown(loss.text, 600)}
              </li>
            ))}
          </ul>
        </details>
      )}
      {resource.kind === "ready" && file === undefined && (
        <Notice title="No file yet">
          <p>There is no rule to write down: the proposal is empty.</p>
        </Notice>
      )}
      {file !== undefined && (
        <div class="bundle-files">
          <ul class="file-list" aria-label="Files">
            {files.map((one) => (
              <li key={one.path}>
                <button
                  type="button"
                  aria-current={one === file ? "true" : undefined}
                  onClick={() => go({ item: `${target}:${one.path}` }, "replace")}
                >
                  <bdi>{shown(one.path)}</bdi>
                  <small>{bytes(one.bytes)}</small>
                </button>
              </li>
            ))}
          </ul>
          <div class="file">
            <div class="file-bar">
              <code>{shown(file.path)}</code>
              <span>
                <button
                  type="button"
                  class="button"
                  onClick={() => {
                    navigator.clipboard.writeText(file.text).then(
                      () => {
                        setCopied(true);
                        announce(`${file.path} is copied`);
                        window.setTimeout(() => setCopied(false), 2000);
                      },
                      () => announce("Cannot copy: the browser does not allow it here"),
                    );
                  }}
                >
                  {isCopied ? "Copied ✓" : "Copy"}
                </button>
                <a
                  class="button"
                  href={`${base}?file=${encodeURIComponent(file.path)}`}
                  download={file.path.slice(file.path.lastIndexOf("/") + 1)}
                >
                  Download
                </a>
              </span>
            </div>
            <FileText text={file.text} />
          </div>
        </div>
      )}
    </div>
  );
}
