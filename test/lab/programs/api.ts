// The shop's API tier on port 8080: products from the cache or the database, orders charged and confirmed by mail.
import { createServer } from "node:http";
import { dnsName, hostNamed, PAY_NAME, workloadId } from "../company.js";
import { curl, psql, redis } from "../exercise.js";
import { MAIL_PORT } from "../intent.js";
import { call } from "./call.js";

const folder = process.env.LAB_FOLDER ?? ".";
const database = hostNamed("db-1");
const cache = hostNamed("cache-1");
const mailer = hostNamed("worker-b");
let orders = 0;

// The release that sends mail comes with the mailer: the lab announces it as an operator would.
let isMailing = false;
process.on("SIGUSR2", () => {
  isMailing = true;
});

async function products(): Promise<boolean> {
  const [cached, read] = [
    await call(redis(cache, ["get", "products"], { folder }), workloadId(cache), 6379),
    await call(psql(database, "select name, price from products", { folder }), workloadId(database), 5432),
  ];
  return cached && read;
}

/** An order is charged; it is confirmed by mail when the mailer lives. */
async function order(): Promise<boolean> {
  const family = orders++ % 2 === 0 ? 4 : 6;
  const charge = curl(`https://${PAY_NAME}:8443/charge`, { folder, family }, ["--data", "amount=42"]);
  const isCharged = await call(charge, "shop/pay-1", 8443);
  const sql = "insert into orders(product, placed) values (1, now())";
  const isStored = await call(psql(database, sql, { folder }), workloadId(database), 5432);
  if (isMailing) {
    await call(
      curl(`http://${dnsName(mailer)}:${MAIL_PORT}/send`, { folder }, ["--data", "to=customer"]),
      workloadId(mailer),
      MAIL_PORT,
    );
  }
  return isCharged && isStored;
}

createServer((request, response) => {
  request.resume();
  const path = request.url ?? "/";
  const work = path.startsWith("/api/orders")
    ? order()
    : path.startsWith("/api/products")
      ? products()
      : Promise.resolve(true);
  work.then((isDone) => response.writeHead(isDone ? 200 : 502).end(`{"done":${isDone}}\n`));
}).listen(8080, "::");
