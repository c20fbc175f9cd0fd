// Asks one address, and ends with 0 when it answers 2xx: the health check of images that have no curl.
const [url] = process.argv.slice(2);
const { ok } = await fetch(url, { signal: AbortSignal.timeout(4_000) }).catch(() => ({ ok: false }));
process.exit(ok ? 0 : 1);
