import { computed, signal } from "@preact/signals";
import type { MapAnswer, OverviewAnswer } from "../../../api/contract.js";
import { groupingParams, place, viewParams } from "./location.js";

/** The map on the screen, which the index beside it lists too. */
export const shownMap = signal<MapAnswer | undefined>(undefined);

export const overview = signal<OverviewAnswer | undefined>(undefined);

export const mapUrl = computed(() => {
  const hubs = place.value.hubs === "links" ? "&hubs=links" : "";
  const grouping = groupingParams.value;
  return `/api/map?${viewParams.value}${grouping === "" ? "" : `&${grouping}`}${hubs}`;
});

export const matrixUrl = computed(() => {
  const grouping = groupingParams.value;
  return `/api/matrix?${viewParams.value}${grouping === "" ? "" : `&${grouping}`}`;
});
