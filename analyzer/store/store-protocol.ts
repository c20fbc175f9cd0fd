import type { ConversationKey } from "../../model/conversation.js";
import type { SensorHeartbeat } from "../../model/sensor-heartbeat.js";
import type { Inventory } from "../../model/workload.js";
import type { FlowSample } from "../../policy/allow-rule.js";
import type { DenialsSince, TrailPoint } from "../alerts/denial-sightings.js";
import type { AuditFigures } from "../audit/audit-figures.js";
import type { AuditDocument } from "../audit/audit-trail.js";
import type { SensorStatus } from "../explorer.js";
import type { SensorGap } from "../proposal.js";
import type { ActivityColumns } from "./activity-query.js";
import type { Reattribution } from "./attribution.js";
import type { DictionaryTable } from "./dictionary.js";
import type { AppendReport, Intake, LogPartition, LogPosition } from "./intake.js";
import type { StoreErrorCode } from "./store-error.js";
import type { WindowColumns } from "./window-columns.js";

/** How many texts of each dictionary the other side has already. Another epoch means that the numbers were given out anew. */
export type DictionarySizes = Readonly<Record<DictionaryTable | "epoch", number>>;
export type DictionaryTails = Readonly<Record<DictionaryTable, readonly string[]>> & { readonly epoch: number };

/** What the store's thread is asked; times are microseconds, infinite where unbounded. */
export type StoreRequest =
  | { readonly kind: "open" }
  | { readonly kind: "append"; readonly intake: Intake }
  | { readonly kind: "positions"; readonly partitions: readonly LogPartition[] }
  | { readonly kind: "release"; readonly partitions: readonly LogPartition[] }
  | { readonly kind: "keep-heartbeats"; readonly beats: readonly SensorHeartbeat[] }
  | { readonly kind: "heartbeats" }
  | {
      readonly kind: "keep-audit";
      readonly documents: readonly AuditDocument[];
      readonly positions: readonly LogPosition[];
    }
  | { readonly kind: "audit"; readonly fromUs: number; readonly untilUs: number }
  | { readonly kind: "denials"; readonly after: TrailPoint | undefined }
  | {
      readonly kind: "windows";
      readonly width: "hour" | "minute";
      readonly fromUs: number;
      readonly untilUs: number;
      readonly known: DictionarySizes;
    }
  | {
      readonly kind: "samples";
      readonly keys: readonly ConversationKey[];
      readonly fromUs: number;
      readonly untilUs: number;
      readonly limit: number;
    }
  | { readonly kind: "activity"; readonly fromUs: number; readonly untilUs: number; readonly known: DictionarySizes }
  | { readonly kind: "sensors" }
  | { readonly kind: "gaps" }
  | { readonly kind: "reattribute"; readonly inventory: Inventory }
  | { readonly kind: "close" };

export type StoreAnswer =
  | { readonly kind: "opened"; readonly inventory: Inventory }
  | { readonly kind: "appended"; readonly report: AppendReport }
  | { readonly kind: "positions"; readonly positions: readonly LogPosition[] }
  | { readonly kind: "heartbeats"; readonly beats: readonly SensorHeartbeat[] }
  | { readonly kind: "noted" }
  | { readonly kind: "audit-kept"; readonly added: number }
  | { readonly kind: "audit"; readonly figures: AuditFigures }
  | { readonly kind: "denials"; readonly denials: DenialsSince }
  | { readonly kind: "windows"; readonly windows: WindowColumns; readonly added: DictionaryTails }
  | { readonly kind: "activity"; readonly activity: ActivityColumns; readonly added: DictionaryTails }
  | { readonly kind: "samples"; readonly samples: readonly FlowSample[] }
  | { readonly kind: "sensors"; readonly sensors: readonly SensorStatus[] }
  | { readonly kind: "gaps"; readonly gaps: readonly SensorGap[] }
  | { readonly kind: "reattributed"; readonly report: Reattribution }
  | { readonly kind: "closed" };

export type StoreReply =
  | { readonly id: number; readonly answer: StoreAnswer }
  | { readonly id: number; readonly error: { readonly code: StoreErrorCode; readonly message: string } };
