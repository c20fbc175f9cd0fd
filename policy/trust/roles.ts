/**
 * What a key may vouch for: that a set is as its author wrote it, that a second person approved it, that it is released
 * to enforcers, and how far its rollout may go.
 */
export const ROLES = ["author", "approver", "signer", "promoter"] as const;
export type Role = (typeof ROLES)[number];
