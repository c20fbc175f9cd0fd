import type { Gate } from "./state/scope-state.js";

/** What became of something that was sent to an enforcer, for a log and for people who asked. */
export interface Answer {
  readonly isDone: boolean;
  readonly text: string;
  readonly unmet?: readonly Gate[];
}

export const done = (text: string): Answer => ({ isDone: true, text });

export const refused = (text: string, unmet?: readonly Gate[]): Answer => ({
  isDone: false,
  text,
  ...(unmet === undefined ? {} : { unmet }),
});
