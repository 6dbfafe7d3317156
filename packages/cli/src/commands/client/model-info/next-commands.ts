import { shellText } from '../../../console/format.ts';
import { loadSnippet } from './load-line/load-line.ts';
import type { ModelFacts } from './types.ts';

type Command = readonly [what: string, command: string | undefined];

/**
 * Commands that the user can paste to do the next thing with a model.
 * @param session - how they name the worker
 */
export function useCommands(facts: ModelFacts, session: string): Command[] {
  const { entry, files, here, resumeCommand } = facts;
  const isSettled = entry.digest !== undefined;
  const paths = files?.map(({ path }) => path);
  if (here === undefined)
    return [
      ['resume', resumeCommand],
      ['resume there', resumeThere(facts, session)],
      ['fetch', isSettled ? fetchCommand(facts, session) : undefined],
    ];
  return [
    ['resume', resumeHere(here.originalPath, resumeCommand)],
    ['resume there', resumeThere(facts, session)],
    ['send', isSettled ? `model-rtc client push-model ${here.alias ?? here.id} --worker ${session}` : undefined],
    ['load', isSettled ? loadSnippet(here, here.localPath, paths) : undefined],
  ];
}

/** The command must run in the training's folder. */
function resumeHere(folder: string | undefined, command: string | undefined): string | undefined {
  return folder === undefined || command === undefined ? command : `cd ${shellText(folder)} && ${command}`;
}

/** A runner of the worker that was asked does it. */
function resumeThere({ entry, resumesThere }: ModelFacts, session: string): string | undefined {
  return resumesThere ? `model-rtc track --resume ${entry.alias ?? entry.id} --worker ${session}` : undefined;
}

function fetchCommand({ entry, from, availability }: ModelFacts, session: string): string | undefined {
  const [seen] = availability;
  if (from === undefined && seen === undefined) return undefined;
  const alias = from === undefined ? seen?.alias : entry.alias;
  return `model-rtc client pull-model ${alias ?? entry.id} --worker ${session}`;
}
