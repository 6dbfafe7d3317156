import { type AliasConflict, duplicateOf, type ModelEntry, ModelRtcError } from '@model-rtc/protocol';
import type { ImportIfExists } from '@model-rtc/registry';
import { type Choice, choose } from '../../console/ask.ts';
import type { Context } from '../../console/context.ts';
import { printable } from '../../console/format.ts';

/**
 * Asks what to do when work was refused because an alias is taken. Such work is refused before it starts, so run it again with the answer.
 *
 * @param given - the answer that the refused work already had
 * @throws the error, when it is another one; ModelRtcError `bad_argument` naming the flag when there is no terminal
 */
export async function askAliasConflict(
  context: Context,
  given: AliasConflict | undefined,
  error: unknown,
): Promise<AliasConflict> {
  const taken = ModelRtcError.from(error);
  if (taken.code !== 'alias_taken' || given !== undefined) throw taken;
  const flag = '--alias-conflict';
  if (!context.interactive) throw unanswered(taken, taken.message, flag, ['keep', 'rename', 'overwrite']);
  const { alias, suggestions } = taken.details ?? {};
  const free =
    Array.isArray(suggestions) && typeof suggestions[0] === 'string' ? ` "${suggestions[0]}"` : ' another name';
  const choices: Choice<AliasConflict>[] = [
    { value: 'rename', label: `Call this model${free}` },
    { value: 'keep', label: `Leave "${alias}" with the other model, and give this one no alias` },
    { value: 'overwrite', label: `Call this model "${alias}"; the other one loses its alias` },
  ];
  return await choose(context, { text: taken.message, flag }, choices);
}

/** Says which model lost its alias. @param where - `here`, or `at lab` */
export function noteTakenAlias(
  { output }: Context,
  result: { readonly entry: Pick<ModelEntry, 'alias'>; readonly aliasTakenFrom?: string | undefined },
  where: string,
): void {
  if (result.aliasTakenFrom === undefined) return;
  const [alias, id] = [result.entry.alias ?? '', result.aliasTakenFrom].map(printable);
  output.note(`"${alias}" was model ${id} ${where} until now; that one has no alias any more.`);
}

/**
 * Runs an import that is refused when its model is here already under another alias; then asks, and runs it again with the answer.
 *
 * @throws ModelRtcError `bad_argument` naming the flag when there is no terminal
 */
export async function askOnDuplicate<T>(
  context: Context,
  given: ImportIfExists | undefined,
  work: (ifExists: ImportIfExists | undefined) => Promise<T>,
): Promise<T> {
  try {
    return await work(given);
  } catch (error) {
    const known = ModelRtcError.from(error);
    const duplicate = duplicateOf(known);
    if (duplicate === undefined || given !== undefined) throw known;
    const { id, alias, wanted } = duplicate;
    const flag = '--if-exists';
    const text = `This model is already here as "${alias}" (${id}).`;
    if (!context.interactive) throw unanswered(known, text, flag, ['skip', 'rename', 'overwrite']);
    const choices: Choice<ImportIfExists>[] = [
      { value: 'skip', label: `Leave it as it is, "${alias}"` },
      { value: 'rename', label: `Call it "${wanted}"` },
      { value: 'overwrite', label: `Import it again as "${wanted}"` },
    ];
    return await work(await choose(context, { text: `${text} What should happen to it?`, flag }, choices));
  }
}

/** Keeps the details: a script can see whose alias it is and which names are free. */
function unanswered(why: ModelRtcError, text: string, flag: string, answers: readonly string[]): ModelRtcError {
  const all = `${answers.slice(0, -1).join(', ')} or ${answers.at(-1)}`;
  return new ModelRtcError('bad_argument', `${text} Cannot ask without a terminal. Pass ${flag} ${all}.`, {
    cause: why,
    details: { ...why.details, flag },
  });
}
