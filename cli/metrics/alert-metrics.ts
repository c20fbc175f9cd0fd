import type { AlertFigures } from "../../analyzer/alerts/alert-desk.js";
import { counter, gauge, type Measured, measured, type Sample } from "./family.js";

const NAME = {
  edges: counter("portolan_alerts_edges_total", "Edges that no rule permits, told one by one", ["verdict"]),
  summarised: counter("portolan_alerts_edges_summarised_total", "Further ones, beyond the rate, told as a number"),
  sent: counter("portolan_alerts_sent_total", "Alerts that the receiver has", ["receiver"]),
  failures: counter("portolan_alerts_send_failures_total", "Times that it was not reached; the alert is sent again", [
    "receiver",
  ]),
  refused: counter("portolan_alerts_refused_total", "Alerts that it will never take", ["receiver"]),
  waiting: gauge("portolan_alerts_waiting", "Alerts in the spool that it has not got yet", ["receiver"]),
  dropped: counter("portolan_alerts_dropped_total", "Alerts that the spool had no room for", ["receiver"]),
};

/** Without receivers there are no samples: nobody is told anything. */
export function alertMetrics(figures: () => AlertFigures | undefined): Measured[] {
  const each = (value: (of: AlertFigures["receivers"][number]) => number) => (): readonly Sample[] =>
    (figures()?.receivers ?? []).map((of) => ({ labels: { receiver: of.name }, value: value(of) }));
  return [
    measured(NAME.edges, () =>
      Object.entries(figures()?.edges ?? {}).map(([verdict, value]) => ({ labels: { verdict }, value })),
    ),
    measured(NAME.summarised, () => figures()?.summarised),
    measured(
      NAME.sent,
      each(({ sent }) => sent),
    ),
    measured(
      NAME.failures,
      each(({ failures }) => failures),
    ),
    measured(
      NAME.refused,
      each(({ refused }) => refused),
    ),
    measured(
      NAME.waiting,
      each(({ waiting }) => waiting),
    ),
    measured(
      NAME.dropped,
      each(({ dropped }) => dropped),
    ),
  ];
}
