/** `npm run architecture`: which room imports which, and every circle and upward import. Exits 1 where there is one. */
import { readImportPicture, toPictureText } from '../architecture/import-picture.ts';
import { runMain } from '../local/run-main.ts';

await runMain(async () => {
  const picture = readImportPicture();
  console.log(toPictureText(picture));
  const faults = [picture.circles, picture.upward, picture.unknownRooms, picture.mended];
  if (faults.some((list) => list.length > 0)) process.exitCode = 1;
});
