/** Searches a text that arrives in pieces. No side effects beyond its own state. */

/** One match. Offsets are UTF-16 code units from the beginning of the text. */
export interface Finding {
  start: number;
  /** The offset after the last code unit. */
  end: number;
  label: string;
  /** Whether the text is refused; otherwise the match is masked. */
  refuse: boolean;
}

/** The findings and their order do not depend on how the text is cut into pieces. */
export interface Scanner {
  /** Stops at the first refusing finding; {@link clearTo} and the findings do not change after it. */
  read(text: string): void;
  /** Ends the text. */
  end(): void;
  /** Sets a break that no finding spans; reading can continue after it. */
  breakOff(): void;
  /** No later finding begins before this offset. Never decreases. */
  clearTo(): number;
  /** The findings since the last call, in the order of detection. */
  take(): Finding[];
}
