import type { ConversationKey, ConversationWindow } from "../../model/conversation.js";
import type { Inventory } from "../../model/workload.js";
import type { FlowSample } from "../../policy/allow-rule.js";
import type { SensorGap } from "../proposal.js";
import type { DiscoveryOptions } from "./options.js";

/**
 * All that discovery looks at. Windows may come in any order. Give minute windows when the data spans less than six
 * hours (then minutes are the unit of learning), hour windows otherwise; a mixture is counted in hours.
 */
export interface DiscoveryInput {
  readonly windows: readonly ConversationWindow[];
  readonly inventory: Inventory;
  readonly gaps: readonly SensorGap[];
  /** Flows that were really seen of one conversation, earliest first; asked for the conversations behind a rule only. */
  readonly samples: (key: ConversationKey) => readonly FlowSample[];
  readonly options?: Partial<DiscoveryOptions>;
}
