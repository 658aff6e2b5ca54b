import { readImportPicture, toPictureText } from '../architecture/import-picture.ts';
import { runCommand } from '../local/command.ts';

await runCommand({
  name: 'npm run architecture',
  summary: 'Prints which room imports which, and every circle and upward import; fails where there is one.',
  example: 'npm run architecture',
  async run() {
    const picture = readImportPicture();
    console.log(toPictureText(picture));
    const faults = [picture.circles, picture.upward, picture.unknownRooms];
    if (faults.some((list) => list.length > 0)) throw new Error('The imports have faults; see above.');
  },
});
