// Appends batches until it is killed; see store.e2e.test.ts. Arguments: database file, rows per batch.
import { Store } from "../../../analyzer/store/store.js";
import { batchOf, originOf, SECOND, T0 } from "../batches.js";

const [, , path = "", rows = "1"] = process.argv;
const store = await Store.open({ path });
const [sensor] = await store.sensors();
for (let sequence = sensor?.batches ?? 0; ; sequence++) {
  const flows = Array.from({ length: Number(rows) }, (_, i) => ({
    fromPort: 1024 + i,
    startUs: T0 + sequence * 20 * SECOND,
  }));
  await store.append([batchOf(originOf("a", sequence), flows)]);
  process.stdout.write(`${sequence}\n`);
}
