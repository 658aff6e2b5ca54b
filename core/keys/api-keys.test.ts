import { connectEmbedded, createDatabase } from '../db/database.ts';
import { describeApiKeys } from './api-keys.contract.ts';

describeApiKeys('API keys in the embedded database', async () =>
  createDatabase(() => connectEmbedded(undefined), true),
);
