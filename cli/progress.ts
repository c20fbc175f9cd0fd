/** Progress of long work on stderr: one line, rewritten on a terminal, a new line each `quietMs` elsewhere. */
export interface Progress {
  show(text: string): void;
  end(): void; // leaves the terminal on a line of its own
}

const TERMINAL_MS = 100;
const LOG_MS = 5_000;

export function progressOn(stream: NodeJS.WriteStream): Progress {
  const everyMs = stream.isTTY ? TERMINAL_MS : LOG_MS;
  let shownAt = Date.now();
  let isOpen = false;
  return {
    show(text) {
      const now = Date.now();
      if (now - shownAt < everyMs) return;
      shownAt = now;
      isOpen = stream.isTTY;
      stream.write(stream.isTTY ? `\r\x1b[2K${text}` : `${text}\n`);
    },
    end() {
      if (isOpen) stream.write("\r\x1b[2K");
      isOpen = false;
    },
  };
}
