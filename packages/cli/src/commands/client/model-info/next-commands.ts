import { loadSnippet } from './load-line/load-line.ts';
import { shellText } from './load-line/snippet.ts';
import type { ModelFacts } from './types.ts';

type Command = readonly [what: string, command: string | undefined];

/** Commands that the user can paste to do the next thing with a model. */
export function useCommands(facts: ModelFacts): Command[] {
  const { entry, files, here, resumeCommand } = facts;
  const isSettled = entry.digest !== undefined;
  const paths = files?.map(({ path }) => path);
  if (here === undefined)
    return [
      ['resume', resumeCommand],
      ['fetch', isSettled ? fetchCommand(facts) : undefined],
    ];
  return [
    ['resume', resumeHere(here.originalPath, resumeCommand)],
    ['send', isSettled ? `model-rtc client push-model ${here.alias ?? here.id} --worker SESSION` : undefined],
    ['load', isSettled ? loadSnippet(here, here.localPath, paths) : undefined],
  ];
}

/** The command must run in the training's folder. */
function resumeHere(folder: string | undefined, command: string | undefined): string | undefined {
  return folder === undefined || command === undefined ? command : `cd ${shellText(folder)} && ${command}`;
}

function fetchCommand({ entry, from, availability }: ModelFacts): string | undefined {
  const [seen] = availability;
  if (from !== undefined) return pullCommand(entry.alias ?? entry.id, from.name);
  return seen === undefined ? undefined : pullCommand(seen.alias ?? entry.id, seen.name);
}

/** Uses a name that could be a saved one; writes SESSION in place of any other. */
function pullCommand(ref: string, workerName: string): string {
  const worker = /^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(workerName) ? workerName : 'SESSION';
  return `model-rtc client pull-model ${ref} --worker ${worker}`;
}
