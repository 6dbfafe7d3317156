/** Schemas of checked texts. They are apart from the rules, because what needs the rules alone starts sooner without zod. */
import * as z from 'zod';
import { type Alias, storedAliasProblem } from './alias.ts';
import { type ModelPath, modelPathProblem } from './model-path.ts';

/** An alias that some agent gave to a model. Whoever gives one checks it with `parseAlias`. */
export const aliasSchema = z
  .string()
  .superRefine((text, context) => {
    const problem = storedAliasProblem(text);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  })
  .transform((text) => text as Alias);

export const modelPathSchema = z
  .string()
  .superRefine((path, context) => {
    const problem = modelPathProblem(path);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  })
  .transform((path) => path as ModelPath);
