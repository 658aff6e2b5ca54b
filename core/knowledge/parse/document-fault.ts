/** What is wrong with a document, in words for whoever sent it. */
export class DocumentFault extends Error {
  override readonly name = 'DocumentFault';
}
