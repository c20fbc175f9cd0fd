/** The knobs of discovery. Every default is the one we test with; change one only with a reason. */
export interface DiscoveryOptions {
  /** Name of the proposed policy set. */
  readonly name: string;
  /** Success probability of a first contact by a benign source and by a scanner (Jung et al., IEEE S&P 2004). */
  readonly theta0: number;
  readonly theta1: number;
  /** Wanted false positive rate and detection rate of the scan test. */
  readonly alpha: number;
  readonly beta: number;
  /** A scanner's answered conversation is offered only if it was seen in this many windows without a failed contact ... */
  readonly quietWindows: number;
  /** ... or if this many siblings of its declared role, none a scanner, use the same service of the same server. */
  readonly independentSiblings: number;
  /** Below this probability the direction of a conversation is asked about, not guessed. */
  readonly directionConfidence: number;
  /** A conversation to an administration port is a habit once it was seen in this many windows. */
  readonly recurringWindows: number;
  /** A server with this many ports on one protocol gives them out dynamically ... */
  readonly dynamicPorts: number;
  /** ... except for those seen in at least this share of the windows in which the server was seen. */
  readonly dynamicKeepShare: number;
  /** Cosine distance at which service profiles stop being one role. */
  readonly roleCut: number;
  /** A rule speaks of a role, not of hosts, once this many of its members were seen as client. */
  readonly supportClients: number;
  /** A rule between roles inferred from profiles holds only where at least this share of its pairs was seen or is likely. */
  readonly supportDensity: number;
  /** A prefix stands for addresses outside the inventory if at least this share of it was seen. */
  readonly prefixDensity: number;
  /** A service with clients from this many outside networks (/24, /48) is public: the whole outside may use it. */
  readonly publicNetworks: number;
  /** Captures shorter than this are counted in minutes instead of hours. */
  readonly shortCaptureUs: number;
  /** Share of future conversation windows that a policy may wrongly deny and still be offered for review. */
  readonly falseDenyBudget: number;
}

export const DEFAULT_DISCOVERY_OPTIONS: DiscoveryOptions = {
  name: "proposed",
  theta0: 0.8,
  theta1: 0.2,
  alpha: 0.01,
  beta: 0.99,
  quietWindows: 3,
  independentSiblings: 2,
  directionConfidence: 0.99,
  recurringWindows: 3,
  dynamicPorts: 20,
  dynamicKeepShare: 0.5,
  roleCut: 0.35,
  supportClients: 2,
  supportDensity: 0.5,
  prefixDensity: 0.5,
  publicNetworks: 20,
  shortCaptureUs: 6 * 3_600_000_000,
  falseDenyBudget: 0.01,
};
