/** A table in Markdown. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const [head, ...lines] = [titles, ...rows].map((cells) => `| ${cells.join(' | ')} |\n`);
  return `${head}|${'---|'.repeat(titles.length)}\n${lines.join('')}`;
}
