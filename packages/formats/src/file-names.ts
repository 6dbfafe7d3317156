/** The last part of a path, of Windows too. */
export function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}

/** No archive: scripts that train with torch have called their checkpoints so since its first examples. */
const TORCH_TAR = /(\.(?:pth?|ckpt))\.tar$/i;

/** In lower case, with the dot; empty for a name without one, and for a hidden file such as `.gitignore`. */
export function extensionOf(path: string): string {
  const name = baseName(path).replace(TORCH_TAR, '$1');
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? '' : name.slice(dot).toLowerCase();
}
