/** A worker thread that creates the files of an embedded database: initdb computes for seconds without a pause. */
import { workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';

await (await PGlite.create({ dataDir: workerData as string })).close();
