/** Whether the name of a base model is a path on the machine that trained it, and not the name by which a hub knows it. */
export function isPathOfMachine(name: string): boolean {
  return /^(~?[/\\]|\.{1,2}[/\\]|[A-Za-z]:[/\\])/.test(name);
}
