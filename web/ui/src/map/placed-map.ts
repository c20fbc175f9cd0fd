import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { MapAnswer } from "../../../api/contract.js";
import type { ChartLayout } from "../../../layout/chart-layout.js";
import { placeMap } from "../../../layout/place-map.js";
import { place, START } from "../state/location.js";
import type { Resource } from "../state/resource.js";
import type { LayoutReply } from "./layout-worker.js";

interface LaidOut {
  readonly url: string;
  readonly revision: number;
  readonly layout: ChartLayout;
}

/** A map as it came, or with the positions that this page's worker computes when the server left that to it. */
export function usePlacedMap(resource: Resource<MapAnswer>): Resource<MapAnswer> {
  const worker = useRef<Worker | undefined>(undefined);
  const turn = useRef(0);
  const [laidOut, setLaidOut] = useState<LaidOut | undefined>(undefined);
  const [failure, setFailure] = useState("");
  const map = resource.data;
  const isBare = map !== undefined && map.layoutHash === "" && map.marks.length > 0;
  const { level, group } = place.value;
  const url = `/api/layout?level=${level}${group === START.group ? "" : `&group=${encodeURIComponent(group)}`}`;
  const revision = map?.revision ?? 0;
  const isReady = laidOut !== undefined && laidOut.url === url && laidOut.revision === revision;

  useEffect(() => {
    if (!isBare || isReady) return;
    worker.current ??= new Worker(new URL("./layout-worker.ts", import.meta.url), { type: "module" });
    const mine = ++turn.current;
    setFailure("");
    worker.current.onmessage = ({ data }: MessageEvent<LayoutReply>) => {
      if (data.turn !== mine) return;
      if (data.kind === "laid-out") setLaidOut({ url, revision, layout: data.layout });
      else setFailure(data.detail);
    };
    worker.current.postMessage({ url, turn: mine });
  }, [isBare, isReady, url, revision]);
  useEffect(() => () => worker.current?.terminate(), []);

  // While a newer layout is computed, the one before shows what it knows.
  const layout = laidOut?.url === url ? laidOut.layout : undefined;
  return useMemo((): Resource<MapAnswer> => {
    if (!isBare) return resource;
    if (layout !== undefined) return { ...resource, data: placeMap(map, layout) };
    if (failure === "") return { kind: "loading" };
    const detail = `Cannot lay the map out: ${failure}. The table and the matrix need no layout.`;
    return { kind: "failed", problem: { type: "about:blank", title: "No layout", status: 0, detail } };
  }, [resource, isBare, map, layout, failure]);
}
