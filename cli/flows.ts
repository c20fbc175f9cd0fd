import { once } from "node:events";
import { readCaptures } from "../collector/read-captures.js";
import { flowAt } from "../model/flow-rows.js";
import { reportCaptureErrors } from "./capture-errors.js";
import { FLOW_CSV_HEADER, flowCsvLine, flowJsonLine } from "./flow-lines.js";
import { progressOn } from "./progress.js";
import type { FlowsOptions } from "./verbs/flows.js";

/** Writes to stdout and waits while the reader is slower than we are. */
async function print(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
}

export async function printFlows(files: readonly string[], options: FlowsOptions): Promise<void> {
  const progress = progressOn(process.stderr);
  const batches = readCaptures(files, {
    onProgress: ({ packets }) => progress.show(`reading: ${packets.toLocaleString("en")} packets`),
  });
  const lineOf = options.format === "csv" ? flowCsvLine : flowJsonLine;
  if (options.format === "csv") await print(`${FLOW_CSV_HEADER}\n`);
  try {
    for (;;) {
      const step = await batches.next();
      if (step.done === true) {
        progress.end();
        if (options.summary)
          process.stderr.write(`${JSON.stringify({ ...step.value, errors: step.value.errors.length })}\n`);
        reportCaptureErrors(step.value.errors);
        return;
      }
      let text = "";
      for (let row = 0; row < step.value.length; row++) text += `${lineOf(flowAt(step.value, row))}\n`;
      await print(text);
    }
  } finally {
    progress.end();
  }
}
