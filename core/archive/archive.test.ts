import { connectEmbedded, createDatabase } from '../db/database.ts';
import { describeArchive } from './archive.contract.ts';

const open = async () => createDatabase(() => connectEmbedded(undefined), true);
describeArchive('the archive in the embedded database', open, true);
