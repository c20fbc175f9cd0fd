import { EVIDENCE, OUTCOMES } from "../../model/flow-record.js";
import { HOUR_US } from "../../model/time-window.js";
import type { Database } from "./database.js";
import { CLOCK_SKEW_US } from "./window-query.js";

/** Two observers of the same flows and how far their clocks are apart. */
export interface ClockDifference {
  readonly collector: string;
  readonly other: string; // after `collector` in the order of the alphabet
  readonly differenceUs: number; // how much later `collector` says that the same flows began; a median
  readonly flows: number; // that both saw begin
}

/** Clocks that differ more find no common flow: the records of a five-tuple an hour apart are different flows. */
const WIDEST_US = 12 * CLOCK_SKEW_US;
/** A difference of fewer flows tells of chance: of a port used again, of a SYN that one side lost. */
const FEWEST_FLOWS = 5;
/** Rows of the newest hour that are compared at most; five-tuples are left out evenly beyond. */
const COMPARED_ROWS = 400_000;
const OPENED = [OUTCOMES.indexOf("answered"), OUTCOMES.indexOf("refused")].join(", ");
const SAW_OPENING = `outcome IN (${OPENED}) AND evidence <= ${EVIDENCE.indexOf("request")}`;

/** The last answer of each database; sensors and gaps both want it. */
const answers = new WeakMap<Database, { readonly appendNo: number; readonly differences: ClockDifference[] }>();

/**
 * How the clocks of observers differ, from the flows of the newest hour that both saw begin. The median of the differences of
 * their first packets is the clocks' difference, give or take the way between them, and does not mind that some five-tuples
 * occur twice.
 */
export async function clockDifferences(database: Database): Promise<ClockDifference[]> {
  const { collectors } = database;
  if (collectors.texts.length < 2) return [];
  const known = answers.get(database);
  if (known !== undefined && known.appendNo === database.appendNo) return known.differences;
  const newest = `(SELECT max(start_us) - ${HOUR_US} FROM flows)`;
  const [counted] = await database.rows(`SELECT count(*) FROM flows WHERE start_us >= ${newest} AND ${SAW_OPENING}`);
  const share = BigInt(Math.max(1, Math.ceil(Number(counted?.[0]) / COMPARED_ROWS)));
  const rows = await database.rows(
    `WITH record AS (
       SELECT tuple, protocol, collector, text, start_us FROM flows JOIN collectors ON collectors.id = collector
       WHERE start_us >= ${newest} AND ${SAW_OPENING} AND tuple % $share::UBIGINT = 0
     )
     SELECT a.text, b.text, median(a.start_us - b.start_us), count(*)
     FROM record AS a JOIN record AS b ON a.tuple = b.tuple AND a.protocol = b.protocol
       AND a.text < b.text AND abs(a.start_us - b.start_us) <= ${WIDEST_US}
     GROUP BY a.text, b.text HAVING count(*) >= ${FEWEST_FLOWS} ORDER BY a.text, b.text`,
    { share },
  );
  const differences = rows.map(([collector, other, difference, flows]) => ({
    collector: String(collector),
    other: String(other),
    differenceUs: Math.round(Number(difference)),
    flows: Number(flows),
  }));
  answers.set(database, { appendNo: database.appendNo, differences });
  return differences;
}
