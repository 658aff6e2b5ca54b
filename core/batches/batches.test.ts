import { connectEmbedded, createDatabase } from '../db/database.ts';
import { describeBatches } from './batches.contract.ts';

describeBatches('batches in the embedded database', async () =>
  createDatabase(() => connectEmbedded(undefined), true),
);
