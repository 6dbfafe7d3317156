import { readFileSync } from 'node:fs';
import { createRequire, SourceMap } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { Script } from 'node:vm';
import { REPOSITORY, SCRIPT_VARIABLE } from './places.js';

const requireOutside = createRequire(join(REPOSITORY, 'package.json'));
let compiled;
let mapped;

/** Gives a test file's context the function that evaluates a file of the script there, with what it imports. */
export function evaluator({ context, global }) {
  let files;
  return (file) => {
    files ??= runScript(context, global);
    return files[file]();
  };
}

/** The script is compiled once in each process, and runs in every context. */
function runScript(context, global) {
  const filename = process.env[SCRIPT_VARIABLE];
  if (compiled?.filename !== filename) {
    compiled = { filename, script: new Script(readFileSync(filename, 'utf8'), { filename }) };
  }
  const module = { exports: {} };
  const require = (name) => (/^(node:)?process$/.test(name) ? global.process : requireOutside(name));
  compiled.script.runInContext(context)(require, module);
  return module.exports;
}

/** A stack whose lines in the script are those of the sources. Paths may begin at the root of the repository, as in messages of `expect`. */
export function inSources(stack) {
  const script = process.env[SCRIPT_VARIABLE];
  const inRepository = script?.slice(REPOSITORY.length);
  if (script === undefined || !stack.includes(inRepository)) return stack;
  if (mapped?.script !== script)
    mapped = { script, map: new SourceMap(JSON.parse(readFileSync(`${script}.map`, 'utf8'))) };
  const [before, ...places] = stack.split(`${inRepository}:`);
  return [before, ...places.map(placeInSources)].join('');
}

/** @param text - a row, a column, and what follows in the stack */
function placeInSources(text) {
  const [, row, column, rest] = /^(\d+):(\d+)(.*)$/s.exec(text) ?? [];
  const { originalSource, originalLine, originalColumn } = mapped.map.findEntry(row - 1, column - 1);
  if (originalSource === undefined) return `${mapped.script.slice(REPOSITORY.length)}:${text}`;
  const source = relative(REPOSITORY, join(dirname(mapped.script), originalSource));
  return `${source}:${originalLine + 1}:${originalColumn + 1}${rest}`;
}
