import type { AuditEdge, AuditScope } from "../../../api/contract.js";
import { count, shown, time } from "../format.js";
import { PlainTable } from "../shell/plain-table.js";
import { edgeService, endText, exampleText, listedText, standingText, tallyText } from "./enforcement-words.js";

const COLUMNS = ["Client", "Server", "Service", "Judged at", "Attempts", "First", "Last", "Standing"];

function EdgeTable({ label, edges, of }: { label: string; edges: readonly AuditEdge[]; of: "audited" | "denied" }) {
  return (
    <PlainTable label={label} columns={COLUMNS}>
      {edges.map((edge) => (
        <tr key={`${edge.direction} ${edge.client.address} ${edge.server.address} ${edge.protocol} ${edge.port}`}>
          <th scope="row">
            <bdi>{shown(endText(edge.client))}</bdi>
            {edge.examples.length > 0 && (
              <span class="example">
                e.g. <bdi>{shown(exampleText(edge), 400)}</bdi>
              </span>
            )}
          </th>
          <td>
            <bdi>{shown(endText(edge.server))}</bdi>
          </td>
          <td class="short">
            <code>{shown(edgeService(edge))}</code>
          </td>
          <td>{edge.direction === "ingress" ? "server" : "client"}</td>
          <td class="number">{count(edge[of])}</td>
          <td class="short">{time(edge.firstUs)}</td>
          <td class="short">{time(edge.lastUs)}</td>
          <td class={edge.standing === "new" ? "warn" : undefined}>
            <bdi>{shown(standingText(edge), 400)}</bdi>
          </td>
        </tr>
      ))}
    </PlainTable>
  );
}

/** Everything that no rule permits, what would be denied apart from what was. */
export function DeniedEdges({ scope }: { scope: AuditScope }) {
  const audited = scope.edges.filter((edge) => edge.audited > 0);
  const denied = scope.edges.filter((edge) => edge.denied > 0);
  return (
    <>
      <h3>
        What deny would have dropped <span class="tab-count">{count(scope.auditedEdgeCount)}</span>
      </h3>
      <p>
        {tallyText(scope)} {listedText(audited.length, scope.auditedEdgeCount)}
      </p>
      {audited.length === 0 ? (
        <p>Nothing: everything that was seen is permitted, or was denied.</p>
      ) : (
        <EdgeTable label={`What ${scope.scope} would have dropped`} edges={audited} of="audited" />
      )}
      <h3>
        What was denied <span class="tab-count">{count(scope.deniedEdgeCount)}</span>
      </h3>
      {denied.length === 0 ? (
        <p>Nothing.</p>
      ) : (
        <>
          <p>{listedText(denied.length, scope.deniedEdgeCount)}</p>
          <EdgeTable label={`What ${scope.scope} denied`} edges={denied} of="denied" />
        </>
      )}
    </>
  );
}
