/** A text in sentences, English and Chinese alike (UAX #29, with line ends as ends). */
const segmenter = new Intl.Segmenter('zh', { granularity: 'sentence' });

export function sentencesOf(text: string): string[] {
  const sentences: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    for (const { segment } of segmenter.segment(line)) {
      const sentence = segment.trim();
      if (sentence !== '') sentences.push(sentence);
    }
  }
  return sentences;
}

/** Whole sentences put together until a piece is full; one that is too long alone is cut. */
export function piecesOf(text: string, maxChars: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  for (const sentence of sentencesOf(text)) {
    for (let start = 0; start < sentence.length; start += maxChars) {
      const part = sentence.slice(start, start + maxChars);
      if (piece !== '' && piece.length + 1 + part.length > maxChars) {
        pieces.push(piece);
        piece = '';
      }
      piece = piece === '' ? part : `${piece} ${part}`;
    }
  }
  if (piece !== '') pieces.push(piece);
  return pieces;
}
