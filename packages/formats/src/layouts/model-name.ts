/** Names of files and folders that tools give to every model. */
const SAYS_NOTHING =
  /^((pytorch_|tf_|saved_|adapter_|best_|last_|final_|latest_|diffusion_pytorch_)?(model|weights?|checkpoint|ckpt|adapter)([-_](best|last|final|latest))?|checkpoints|snapshots?|weights|models?|best|last|latest|final|train|test|ckpts?|logs?|tb_logs|multirun|tensorboard|lightning_logs|mlruns|runs?|outputs?|artifacts|archive|data|sha256-[0-9a-f]{64}|[0-9a-f]{32}|iteration-\d+)$/i;
/** What tells versions of one thing apart, and no two things. */
const QUALIFIER =
  /^(v?\d+|version[-_]?\d+|(global_)?step[-_=]?\d+|checkpoint-\d+|epoch[-_=]?\d+([-_]step[-_=]?\d+)?|\d{4}-\d{2}-\d{2}([-_T]\d{2}-\d{2}-\d{2})?|\d{2}-\d{2}-\d{2})$/i;
/** Folders above the model that are looked at. */
const MAX_UP = 6;

/**
 * What a model is called by where it is: the first name, from the end of the path, that says something, with the versions
 * and dates below it. Undefined when none does.
 * @param parts - of the path, without the file's extension
 */
export function nameByPath(parts: readonly string[]): string | undefined {
  const versions: string[] = [];
  for (const whole of parts.slice(-MAX_UP).reverse()) {
    // Sharded checkpoints and packages of Core ML are folders that are named like files;
    // `model_best.pth.tar` has two extensions.
    const part = whole.replace(/\.(ckpt|pth|mlpackage|mlmodelc)$/, '');
    if (SAYS_NOTHING.test(part)) continue;
    if (!QUALIFIER.test(part)) return [part, ...versions].join('-');
    versions.unshift(part);
  }
  return undefined;
}
