import type { ComponentChildren } from "preact";
import { connection, hasNews, showNews } from "../state/live.js";
import { formatPlace, go, type Place, place } from "../state/location.js";
import { setTheme, type Theme, theme } from "../state/preferences.js";

function Rose() {
  return (
    <svg class="rose" width="26" height="26" viewBox="-16 -16 32 32" aria-hidden="true">
      <circle r="13.5" class="ring" />
      <path d="M0-15L3-3 15 0 3 3 0 15-3 3-15 0-3-3z" class="star" />
      <path d="M0-15L3-3 0 0zM15 0L3 3 0 0zM0 15L-3 3 0 0zM-15 0L-3-3 0 0z" class="shade" />
    </svg>
  );
}

const PAGES: readonly (readonly [Place["page"], string])[] = [
  ["explore", "Explore"],
  ["proposals", "Proposals"],
  ["enforcement", "Enforcement"],
  ["sensors", "Sensors"],
];

function PageLink({ page, children }: { page: Place["page"]; children: ComponentChildren }) {
  const target = { ...place.value, page };
  return (
    <a
      href={formatPlace(target)}
      aria-current={place.value.page === page ? "page" : undefined}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        go({ page });
      }}
    >
      {children}
    </a>
  );
}

const NEXT: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };
const THEME_SIGN: Readonly<Record<Theme, string>> = { system: "◐", light: "☀", dark: "☾" };

export function Header({ onHelp }: { onHelp: () => void }) {
  return (
    <header class="header">
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <a
        class="brand"
        href="/explore"
        aria-label="Portolan, start page"
        onClick={(event) => {
          event.preventDefault();
          go({ page: "explore" });
        }}
      >
        <Rose />
        <span>Portolan</span>
      </a>
      <nav aria-label="Pages">
        {PAGES.map(([page, title]) => (
          <PageLink key={page} page={page}>
            {title}
          </PageLink>
        ))}
      </nav>
      <div class="header-end">
        {hasNews.value && (
          <button type="button" class="news" onClick={showNews}>
            New data · show
          </button>
        )}
        <span class={`connection ${connection.value}`} role="status">
          {connection.value === "lost"
            ? "connection lost, trying again"
            : connection.value === "open"
              ? "live"
              : "connecting"}
        </span>
        <button
          type="button"
          class="icon-button"
          aria-label={`Theme: ${theme.value}. Change to ${NEXT[theme.value]}`}
          title={`Theme: ${theme.value}`}
          onClick={() => setTheme(NEXT[theme.value])}
        >
          {THEME_SIGN[theme.value]}
        </button>
        <button type="button" class="icon-button" aria-label="Help and keys" title="Help (?)" onClick={onHelp}>
          ?
        </button>
      </div>
    </header>
  );
}
