import { readFile, writeFile } from 'node:fs/promises';
import { withLock } from '@model-rtc/files';

const [path, counter, times] = process.argv.slice(2) as [string, string, string];
for (let i = 0; i < Number(times); i++) {
  await withLock(path, {}, async () => {
    const count = Number(await readFile(counter, 'utf8'));
    await writeFile(counter, String(count + 1));
  });
}
