// Reads captures into flow batches and prints what it counted. Run by the capture bench as a process of its own.
import { readCaptures } from "../collector/read-captures.js";

const batches = readCaptures(process.argv.slice(2));
let flows = 0;
for (;;) {
  const step = await batches.next();
  if (step.done === true) {
    const { packets, lost, errors } = step.value;
    process.stdout.write(`${JSON.stringify({ packets, flows, lost })}\n`);
    for (const error of errors) process.stderr.write(`${error.message}\n`);
    process.exitCode = errors.length === 0 ? 0 : 1;
    break;
  }
  flows += step.value.length;
}
