/** The bounds of jobs and of what runners may do, with their reasons. */

/** `runners.json` is written by hand or by `worker runners add`; a hundred runners take 100 KB. */
export const MAX_RUNNERS_FILE_BYTES = 1024 * 1024;
/** Arguments of one runner. A model or an input that stands in one repeats it. */
export const MAX_RUNNER_ARGS = 256;
/** One argument or variable of a runner, before its placeholders are filled. */
export const MAX_RUNNER_ARG_CHARS = 4096;

/** A text that a client sets, when its declaration names no other bound: it stands in one argument. */
export const MAX_SETTING_CHARS = 1024;
/** The pattern of a progress line or setting, as its owner writes it. */
export const MAX_PATTERN_CHARS = 1024;
