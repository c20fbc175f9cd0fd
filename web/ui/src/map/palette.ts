/** The page's colours as a canvas can use them, read from the style so that both themes stand in one place. */
export interface Palette {
  readonly sea: string;
  readonly rhumb: string;
  readonly land: string;
  readonly coast: string;
  readonly water: string;
  readonly ink: string;
  readonly faint: string;
  readonly halo: string;
  readonly focus: string;
  readonly node: string;
  readonly group: string;
  readonly states: Readonly<Record<"allowed" | "quarantined" | "undecided" | "excluded", string>>;
}

export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return {
    sea: colour("--sea"),
    rhumb: colour("--rhumb"),
    land: colour("--land"),
    coast: colour("--coast"),
    water: colour("--water"),
    ink: colour("--ink"),
    faint: colour("--ink-faint"),
    halo: colour("--halo"),
    focus: colour("--focus"),
    node: colour("--node"),
    group: colour("--node-group"),
    states: {
      allowed: colour("--allowed"),
      quarantined: colour("--quarantined"),
      undecided: colour("--undecided"),
      excluded: colour("--excluded"),
    },
  };
}

export const SANS = '"Source Sans 3 Variable", system-ui, sans-serif';
export const SERIF = '"Source Serif 4 Variable", Georgia, serif';
