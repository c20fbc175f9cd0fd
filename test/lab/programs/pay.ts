// Payments over TLS on port 8443: a charge goes to the card network outside and into the ledger.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { hostNamed, PARTNER_NAME, PAY_NAME, workloadId } from "../company.js";
import { curl, psql } from "../exercise.js";
import { call } from "./call.js";

const folder = process.env.LAB_FOLDER ?? ".";
const database = hostNamed("db-1");
let charges = 0;

async function charge(): Promise<boolean> {
  const family = charges++ % 2 === 0 ? 4 : 6;
  const isAccepted = await call(curl(`https://${PARTNER_NAME}/`, { folder, family }), "partner", 443);
  const sql = "insert into ledger(amount, booked) values (42, now())";
  return (await call(psql(database, sql, { folder }), workloadId(database), 5432)) && isAccepted;
}

const tls = {
  key: readFileSync(join(folder, `${PAY_NAME}.key`)),
  cert: readFileSync(join(folder, `${PAY_NAME}.pem`)),
};
createServer(tls, (request, response) => {
  request.resume();
  const work = request.url === "/charge" || request.url === "/settle" ? charge() : Promise.resolve(true);
  work.then((isDone) => response.writeHead(isDone ? 200 : 502).end(`{"done":${isDone}}\n`));
}).listen(8443, "::");
