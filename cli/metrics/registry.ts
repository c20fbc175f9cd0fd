import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { gauge, type Measured, measured, type Sample, samplesOf } from "./family.js";

const BUILD = gauge("portolan_build_info", "1, with what runs in the labels", ["version", "process"]);

/** Of Node's own metrics those that name Node's parts one by one: too many series for what they tell. */
const LEFT_OUT = /^nodejs_(active|gc|heap_space|version)|^nodejs_eventloop_lag_(min|max|mean|stddev|seconds$)/;

function register(registry: Registry, { family, read }: Measured): void {
  const { name, kind, help, labels } = family;
  const settings = { name, help, labelNames: [...labels], registers: [registry] };
  // A reset metric without labels says 0, which would be a claim where nothing is known.
  const saysZero = (samples: readonly Sample[]) => samples.length === 0 && labels.length === 0;
  if (kind === "gauge") {
    new Gauge({
      ...settings,
      collect() {
        this.reset();
        const samples = samplesOf(read());
        if (saysZero(samples)) this.remove();
        for (const sample of samples) this.set({ ...sample.labels }, sample.value);
      },
    });
  } else {
    new Counter({
      ...settings,
      collect() {
        // The room counts; here its sum of the moment takes the place of the one before.
        this.reset();
        const samples = samplesOf(read());
        if (saysZero(samples)) this.remove();
        for (const sample of samples) this.inc({ ...sample.labels }, sample.value);
      },
    });
  }
}

/** The metrics of one process: its own, and what tells how Node fares in it. */
export function metricsRegistry(process: string, version: string, parts: readonly Measured[]): Registry {
  const registry = new Registry();
  register(
    registry,
    measured(BUILD, () => [{ labels: { version, process }, value: 1 }]),
  );
  for (const part of parts) register(registry, part);
  collectDefaultMetrics({ register: registry });
  for (const { name } of registry.getMetricsAsArray()) {
    if (LEFT_OUT.test(name)) registry.removeSingleMetric(name);
  }
  return registry;
}
