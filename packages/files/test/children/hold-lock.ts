import { acquireLock } from '@model-rtc/files';

const [path] = process.argv.slice(2) as [string];
await acquireLock(path);
console.log('held');
setInterval(() => undefined, 1000);
