/** Whose a thing is: nobody else of the tenant sees it. */
export interface Owner {
  tenant: string;
  user: string;
}

/** @property after The id of the last one of the page before. */
export interface Page {
  limit: number;
  after: string | undefined;
}
