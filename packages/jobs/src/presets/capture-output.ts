/**
 * Runs a program and keeps what it writes to its standard output in a new file, as well as passing it on:
 *
 *     capture-output.js FILE PROGRAM ARGUMENT...
 *
 * Ends as the program does. For runners of tools that have no option for that, since a runner is never a shell.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

const [file, program, ...args] = process.argv.slice(2);
if (file === undefined || program === undefined) {
  process.stderr.write('Pass a file and a program.\n');
  process.exit(2);
}

const kept = createWriteStream(file, { flags: 'wx' });
const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
const fail = (error: Error): never => {
  process.stderr.write(`${error.message}\n`);
  child.kill();
  process.exit(1);
};
kept.on('error', fail);
child.on('error', fail);
// Both hold the program back when they are slow.
child.stdout.pipe(process.stdout, { end: false });
child.stdout.pipe(kept);

const [[code, signal]] = await Promise.all([once(child, 'close'), once(kept, 'close')]);
if (signal !== null) process.kill(process.pid, signal as NodeJS.Signals);
process.exitCode = (code as number | null) ?? 1;
