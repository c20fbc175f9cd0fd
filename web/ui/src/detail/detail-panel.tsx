import { place } from "../state/location.js";
import { parseSelected } from "../state/selection.js";
import { EdgeDetail } from "./edge-detail.js";
import { GroupDetail } from "./group-detail.js";
import { Legend } from "./legend.js";
import { NodeDetail } from "./node-detail.js";

/** What is selected and the evidence for it; with nothing selected, how to read the chart. */
export function DetailPanel() {
  const selected = parseSelected(place.value.sel);
  switch (selected.kind) {
    case "none":
      return <Legend />;
    case "edge":
      return <EdgeDetail key={selected.id} id={selected.id} />;
    case "node":
      return <NodeDetail key={selected.id} id={selected.id} />;
    case "island":
      return <GroupDetail key={selected.name} island={selected.name} />;
    case "link":
      return (
        <GroupDetail key={`${selected.client}>${selected.server}`} client={selected.client} server={selected.server} />
      );
  }
}
