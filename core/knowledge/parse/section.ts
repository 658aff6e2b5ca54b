/** A part of a document under one heading. */
export interface Section {
  /** The headings that lead to it, outermost first: `Sessions > How long is a session kept?` */
  heading: string;
  text: string;
}

export interface ParsedDocument {
  /** What it calls itself, if it does. */
  title: string | undefined;
  sections: Section[];
}

/** Sections one after the other, as headings and texts come. Owns the headings that lead to the place. */
export class SectionWriter {
  readonly #sections: Section[] = [];
  readonly #headings: string[] = [];
  #lines: string[] = [];

  /** @param level From 1, the outermost. */
  heading(level: number, text: string): void {
    this.#flush();
    this.#headings.length = Math.min(this.#headings.length, level - 1);
    this.#headings[level - 1] = text.replace(/\s+/g, ' ').trim();
  }

  text(text: string): void {
    this.#lines.push(text);
  }

  end(): Section[] {
    this.#flush();
    return this.#sections;
  }

  #flush(): void {
    const text = this.#lines
      .join('\n')
      .replace(/\n{3,}/g, '\n\n')
      .trim();
    this.#lines = [];
    const heading = this.#headings.filter((part) => part).join(' > ');
    if (text !== '') this.#sections.push({ heading, text });
  }
}
