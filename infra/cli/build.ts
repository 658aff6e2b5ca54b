/** `npm run build`: the Worker and its assets, under `dist/`. */
import { buildEdge } from '../local/build.ts';

await buildEdge();
