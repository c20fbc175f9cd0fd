import type { ProposalAnswer } from "../../../api/contract.js";
import { count, plural, shown, time } from "../format.js";
import { Notice } from "../shell/notice.js";

type Exclusion = ProposalAnswer["proposal"]["exclusions"][number];

const KINDS: readonly (readonly [Exclusion["kind"], string, string])[] = [
  ["quarantine", "Quarantined", "seen, but a person must decide whether it is wanted"],
  ["scan", "Scanning", "one source that tries many and is seldom answered"],
  ["refused", "Refused", "the server said no every time"],
  ["unanswered", "Unanswered", "nobody answered"],
  ["direction", "Direction unknown", "nothing shows who opened it"],
  ["midstream", "Midstream", "its beginning was not seen"],
  ["housekeeping", "Housekeeping", "what a link needs to work at all; enforcement always permits it"],
];

/** What was seen and is not proposed, by kind, each with its reason. */
export function Exclusions({ exclusions }: { exclusions: readonly Exclusion[] }) {
  if (exclusions.length === 0) {
    return (
      <Notice title="Nothing was left out">
        <p>Every conversation that was seen is permitted by a rule.</p>
      </Notice>
    );
  }
  return (
    <div class="exclusions">
      {KINDS.map(([kind, title, about]) => {
        const list = exclusions.filter((exclusion) => exclusion.kind === kind);
        if (list.length === 0) return null;
        return (
          <section key={kind}>
            <h2>
              {title} <span class="tab-count">{count(list.length)}</span> <small>{about}</small>
            </h2>
            <div class="plain-table" tabIndex={0} role="region" aria-label={title}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">Client</th>
                    <th scope="col">Server</th>
                    <th scope="col">Service</th>
                    <th scope="col" class="number">
                      Flows
                    </th>
                    <th scope="col">Last seen</th>
                    <th scope="col">Reason</th>
                  </tr>
                </thead>
                <tbody>
                  {list.map((one) => (
                    <tr key={`${one.client} ${one.server} ${one.protocol} ${one.ports.join()}`}>
                      <td>
                        <bdi>{shown(one.client)}</bdi>
                      </td>
                      <td>
                        <bdi>{shown(one.server)}</bdi>
                      </td>
                      <td>
                        <code>
                          {shown(one.protocol)}
                          {one.ports.length === 0 ? "" : `/${one.ports.slice(0, 6).join(", ")}`}
                        </code>
                        {one.ports.length > 6 && (
                          <span class="quiet"> {plural(one.ports.length - 6, "more port")}</span>
                        )}
                      </td>
                      <td class="number">{count(one.flows)}</td>
                      <td>{time(one.lastSeenUs)}</td>
                      <td class="reason">{shown(one.reason, 500)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </section>
        );
      })}
    </div>
  );
}
