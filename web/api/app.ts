import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import compress from "@fastify/compress";
import fastifyStatic from "@fastify/static";
import swagger from "@fastify/swagger";
import fastify, { type FastifyInstance } from "fastify";
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import type { ExplorerSource } from "../../analyzer/explorer.js";
import { auditRoutes } from "./audit-routes.js";
import type { BundleRenderer } from "./bundle-files.js";
import { LISTENER_LIMIT, RevisionEvents } from "./event-stream.js";
import { ExplorerViews } from "./explorer-views.js";
import { guard, SECURITY_HEADERS } from "./guard.js";
import { PROBE_PATHS, type Probes, probe } from "./probes.js";
import { HttpProblem, problemOf } from "./problem.js";
import { exploreRoutes, proposalRoutes } from "./routes.js";

export interface ApiOptions {
  readonly source: ExplorerSource;
  readonly bundles: BundleRenderer;
  readonly targets: readonly string[]; // what `bundles` can render, e.g. ["kubernetes", "nftables"]
  readonly uiDir: string; // where the built page lies
  readonly version: string;
  readonly probes?: Probes; // without, only that the process is alive can be asked
  readonly nowUs?: () => number; // the clock, default the system's
  readonly allowedHosts?: readonly string[]; // names, besides addresses and localhost, under which we are reached
}

/** Addresses of the page that are no files: the page itself decides what to show there. */
const PAGES = ["/", "/explore", "/proposals", "/enforcement", "/sensors"];

/** Answers that change without the data changing. */
const ALWAYS_NEW = ["/api/events", "/api/sensors"];

const NOT_BUILT = `<!doctype html><html lang="en"><title>Portolan</title><p>The explorer's page is not built: run
<code>npm run build</code> in the checkout. The API answers under <a href="/api/openapi.json">/api</a>.</p></html>`;

/** The explorer's HTTP server, not yet listening; close it to end its event streams. */
export async function createApi(options: ApiOptions): Promise<FastifyInstance> {
  const { source, uiDir, version } = options;
  const app = fastify({ forceCloseConnections: true, routerOptions: { maxParamLength: 4000 } });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, _request, reply) => {
    const problem = problemOf(error);
    return reply
      .code(problem.status)
      .header("cache-control", "no-store")
      .removeHeader("etag")
      .type("application/problem+json")
      .serializer(JSON.stringify)
      .send(problem);
  });
  app.setNotFoundHandler((request) => {
    throw new HttpProblem(404, `Cannot find "${request.url.slice(0, 200)}": neither a page nor a question of the API`);
  });
  guard(app, options.allowedHosts ?? []);
  revalidateByRevision(app, source);
  await app.register(compress, { threshold: 1024, encodings: ["br", "gzip"] });
  await app.register(swagger, {
    openapi: {
      info: {
        title: "Portolan explorer",
        version,
        description: "Who talks to whom, and the allow-list proposed for it.",
      },
    },
    transform: jsonSchemaTransform,
  });
  await app.register(async (routes) => {
    const parts = { ...options, views: new ExplorerViews(source) };
    exploreRoutes(routes, parts);
    proposalRoutes(routes, parts);
    auditRoutes(routes, parts);
  });
  addEvents(app, source);
  app.get("/api/openapi.json", { schema: { hide: true } }, () => app.swagger());
  addProbes(app, options);
  await addPages(app, uiDir);
  return app;
}

/** Equal revisions mean equal answers, so a page that has this revision is told so before anything is computed. */
function revalidateByRevision(app: FastifyInstance, source: ExplorerSource): void {
  const run = randomUUID().slice(0, 8); // revisions start anew with each process
  app.addHook("onRequest", async (request, reply) => {
    if (!request.url.startsWith("/api/") || ALWAYS_NEW.some((path) => request.url.startsWith(path))) return;
    const tag = `W/"${run}-${source.revision()}"`;
    reply.header("etag", tag).header("cache-control", "private, no-cache");
    const known = request.headers["if-none-match"]?.split(",").map((part) => part.trim());
    if (known?.includes(tag)) return reply.code(304).send();
  });
}

function addProbes(app: FastifyInstance, { probes, version }: ApiOptions): void {
  const none: Probes = { version, conditions: () => [], metrics: async () => ({ type: "text/plain", text: "" }) };
  for (const path of probes === undefined ? PROBE_PATHS.slice(0, 1) : PROBE_PATHS) {
    app.get(path, { schema: { hide: true } }, async (_, reply) => {
      const { status, type, text } = await probe(path, probes ?? none);
      return reply.code(status).header("cache-control", "no-store").type(type).serializer(String).send(text);
    });
  }
}

function addEvents(app: FastifyInstance, source: ExplorerSource): void {
  const events = new RevisionEvents(source);
  app.addHook("preClose", async () => events.close());
  app.get(
    "/api/events",
    { schema: { summary: "Server-sent events: `revision` whenever the data changed" } },
    (_, reply) => {
      if (events.isFull()) throw new HttpProblem(503, `Cannot add a listener: wanted at most ${LISTENER_LIMIT}`);
      reply.hijack();
      const headers = { "content-type": "text/event-stream", "cache-control": "no-store", connection: "keep-alive" };
      reply.raw.writeHead(200, { ...SECURITY_HEADERS, ...headers });
      events.add(reply.raw);
    },
  );
}

async function addPages(app: FastifyInstance, uiDir: string): Promise<void> {
  if (!existsSync(join(uiDir, "index.html"))) {
    for (const page of PAGES)
      app.get(page, { schema: { hide: true } }, (_, reply) => reply.type("text/html").send(NOT_BUILT));
    return;
  }
  await app.register(fastifyStatic, {
    root: uiDir,
    index: false,
    setHeaders: (response, path) => {
      // Vite puts a hash of the content into the names of assets, and into nothing else.
      const isHashed = path.includes("/assets/");
      response.header("cache-control", isHashed ? "public, max-age=31536000, immutable" : "no-cache");
    },
  });
  for (const page of PAGES) app.get(page, { schema: { hide: true } }, (_, reply) => reply.sendFile("index.html"));
}
