/** What looks for something in a text that comes in pieces. Pure but for its own state. */

/** Something that was found. Offsets are UTF-16 code units from the beginning of the text. */
export interface Finding {
  start: number;
  /** The offset after the last code unit. */
  end: number;
  label: string;
  /** Whether the text must not go on; otherwise the place is masked. */
  refuse: boolean;
}

/** The same text gives the same findings, in the same order, however it is cut into pieces. */
export interface Scanner {
  /** Stops for good at a finding that refuses, so that {@link clearTo} and the findings are those of that moment. */
  read(text: string): void;
  /** The text is at its end. */
  end(): void;
  /** Nothing that is found from here on begins or ended before; reading may go on behind it. */
  breakOff(): void;
  /** No later finding begins before this offset. Never gets smaller. */
  clearTo(): number;
  /** What was found since the last call, in the order of being found. */
  take(): Finding[];
}
