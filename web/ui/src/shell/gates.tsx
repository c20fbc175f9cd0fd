import type { ProposalAnswer } from "../../../api/contract.js";
import { plural, shown } from "../format.js";

/** What has to hold before the next step, each in words and by a sign; what was measured is one click away. */
export function Gates({ gates }: { gates: ProposalAnswer["proposal"]["gates"] }) {
  const met = gates.filter(({ isMet }) => isMet).length;
  return (
    <details class="gates">
      <summary>
        <span class="gates-count">
          {met} of {plural(gates.length, "gate")} met
        </span>
        {gates.map((gate) => (
          <span key={gate.name} class={gate.isMet ? "gate gate-met" : "gate gate-open"}>
            <span aria-hidden="true">{gate.isMet ? "✓" : "✗"}</span>
            <span class="visually-hidden">{gate.isMet ? "met:" : "not met:"}</span> {shown(gate.name, 60)}
          </span>
        ))}
      </summary>
      <table>
        <thead>
          <tr>
            <th scope="col">Gate</th>
            <th scope="col">Measured</th>
            <th scope="col">Wanted</th>
          </tr>
        </thead>
        <tbody>
          {gates.map((gate) => (
            <tr key={gate.name}>
              <th scope="row">
                <span class={gate.isMet ? "gate-met" : "gate-open"}>
                  <span aria-hidden="true">{gate.isMet ? "✓" : "✗"}</span>
                  <span class="visually-hidden">{gate.isMet ? "met:" : "not met:"}</span>
                </span>{" "}
                {shown(gate.name)}
              </th>
              <td>{shown(gate.value)}</td>
              <td>{shown(gate.wanted)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
