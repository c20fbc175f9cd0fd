// A small server that says yes: the mailer over HTTP and, when LAB_TLS_NAME is set, the card network over TLS.
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { join } from "node:path";

const { LAB_TLS_NAME: name, LAB_FOLDER: folder = ".", LAB_PORT: port, LAB_ADDRESSES: addresses = "::" } = process.env;

const answer: RequestListener = (request, response) => {
  request.resume();
  response.writeHead(200, { "content-type": "application/json" }).end('{"accepted":true}\n');
};

for (const address of addresses.split(",")) {
  const server =
    name === undefined
      ? createServer(answer)
      : createTlsServer(
          { key: readFileSync(join(folder, `${name}.key`)), cert: readFileSync(join(folder, `${name}.pem`)) },
          answer,
        );
  server.listen(Number(port), address);
}
