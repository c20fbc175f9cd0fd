import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { OverviewAnswer } from "../../api/contract.js";
import { EnforcementPage } from "./enforcement/enforcement-page.js";
import { ExplorePage } from "./explore-page.js";
import { ProposalsPage } from "./proposals/proposals-page.js";
import { SensorsPage } from "./sensors/sensors-page.js";
import { Header } from "./shell/header.js";
import { Help } from "./shell/help.js";
import { handleKeys } from "./shell/keys.js";
import { listen } from "./state/live.js";
import { followAddress, place } from "./state/location.js";
import { announcement } from "./state/preferences.js";
import { useResource } from "./state/resource.js";
import { overview } from "./state/views.js";

const TITLES = {
  explore: "Explore",
  proposals: "Proposals",
  enforcement: "Enforcement",
  sensors: "Sensors",
} as const;

function Page() {
  switch (place.value.page) {
    case "explore":
      return <ExplorePage />;
    case "proposals":
      return <ProposalsPage />;
    case "enforcement":
      return <EnforcementPage />;
    case "sensors":
      return <SensorsPage />;
  }
}

function App() {
  const [isHelpOpen, setHelpOpen] = useState(false);
  const figures = useResource<OverviewAnswer>("/api/overview");
  const { page, q } = place.value;
  useEffect(() => {
    if (figures.data !== undefined) overview.value = figures.data;
  }, [figures.data]);
  useEffect(() => handleKeys(() => setHelpOpen(true)), []);
  useEffect(() => {
    document.title = page === "explore" && q !== "" ? `${q} · Portolan` : `${TITLES[page]} · Portolan`;
  }, [page, q]);
  return (
    <>
      <Header onHelp={() => setHelpOpen(true)} />
      <Page />
      {isHelpOpen && <Help onClose={() => setHelpOpen(false)} />}
      <div class="visually-hidden" role="status" aria-live="polite">
        {announcement.value}
      </div>
    </>
  );
}

followAddress();
listen();
render(<App />, document.getElementById("app") as HTMLElement);
