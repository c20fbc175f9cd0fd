/** Where an enforcer listens, and those who ask it knock, unless told otherwise. */
export const DEFAULT_SOCKET = "/run/portolan/enforcer.sock";
