import { ModelRtcError } from '@model-rtc/protocol';
import type { Context, Prompts } from './context.ts';

export interface Question {
  readonly text: string;
  /** The option that answers it, such as `--yes`. */
  readonly flag: string;
}

export interface Choice<T extends string> {
  readonly value: T;
  readonly label: string;
}

/**
 * Asks yes or no.
 * @throws ModelRtcError `bad_argument` naming the flag when there is no terminal; `cancelled`
 */
export async function confirm(context: Context, question: Question): Promise<boolean> {
  requireTerminal(context, question);
  const prompts = await context.prompts();
  const answer = await prompts.confirm({ message: question.text, initialValue: false, output: process.stderr });
  return given<boolean>(prompts, answer);
}

/**
 * Asks for one of several answers.
 * @throws ModelRtcError `bad_argument` naming the flag when there is no terminal; `cancelled`
 */
export async function choose<T extends string>(
  context: Context,
  question: Question,
  choices: readonly Choice<T>[],
): Promise<T> {
  requireTerminal(context, question);
  const prompts = await context.prompts();
  const options = choices.map(({ value, label }) => ({ value: value as string, label }));
  const answer = await prompts.select({ message: question.text, options, output: process.stderr });
  return given<T>(prompts, answer);
}

/**
 * Asks for one or more of several answers.
 * @throws ModelRtcError `bad_argument` naming the flag when there is no terminal; `cancelled`
 */
export async function chooseSeveral<T extends string>(
  context: Context,
  question: Question,
  choices: readonly Choice<T>[],
): Promise<readonly T[]> {
  requireTerminal(context, question);
  const prompts = await context.prompts();
  const options = choices.map(({ value, label }) => ({ value: value as string, label }));
  const message = `${question.text} (a takes all)`;
  const answer = await prompts.multiselect({ message, options, required: true, output: process.stderr });
  return given<T[]>(prompts, answer);
}

/**
 * Asks for a secret, which is not shown while it is typed.
 * @throws ModelRtcError `bad_argument` naming the flag when there is no terminal; `cancelled`
 */
export async function askSecret(context: Context, question: Question): Promise<string> {
  requireTerminal(context, question);
  const prompts = await context.prompts();
  const answer = await prompts.password({ message: question.text, mask: '*', output: process.stderr });
  return given<string | undefined>(prompts, answer) ?? '';
}

function requireTerminal({ interactive, output }: Context, { text, flag }: Question): void {
  if (!interactive) {
    const sentence = `${text} Cannot ask without a terminal. Pass ${flag}.`;
    throw new ModelRtcError('bad_argument', sentence, { details: { flag } });
  }
  output.clearProgress();
}

function given<T>({ isCancel }: Prompts, answer: unknown): T {
  if (isCancel(answer)) throw new ModelRtcError('cancelled', 'Cancelled; nothing was changed.');
  return answer as T;
}
