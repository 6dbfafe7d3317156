#!/usr/bin/env node
// npm links the command when it installs, before anything is built: what it links to is in the repository.
import { existsSync } from 'node:fs';

const main = new URL('bin/main.js', import.meta.url);
if (existsSync(main)) await import(main.href);
else {
  process.stderr.write('model-rtc is not built yet. Run: npm run build\n');
  process.exitCode = 1;
}
