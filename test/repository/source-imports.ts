import { parseSync } from '@swc/core';

/**
 * Every module that a TypeScript source names: static imports and re-exports (types too), `import()` and `import('x')`
 * types. Read from the syntax tree, so that strings and comments that look like imports do not count.
 */
export function importsOf(source: string): string[] {
  const { body } = parseSync(source, { syntax: 'typescript', target: 'es2022' });
  const found = new Set<string>();
  // Only `import()` and `import('x')` types are inside of other statements; few files have any.
  if (/\bimport\s*[(/]/.test(source)) collect(body, found);
  else for (const statement of body) addSpecifier(statement as unknown as Node, found);
  return [...found];
}

type Node = { readonly type?: unknown } & Readonly<Record<string, unknown>>;

const STATIC_IMPORTS = new Set(['ImportDeclaration', 'ExportNamedDeclaration', 'ExportAllDeclaration']);

function collect(value: unknown, found: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) collect(item, found);
    return;
  }
  const node = value as Node;
  addSpecifier(node, found);
  for (const child of Object.values(node)) collect(child, found);
}

function addSpecifier(node: Node, found: Set<string>): void {
  const specifier = specifierOf(node);
  if (specifier !== undefined) found.add(specifier);
}

function specifierOf(node: Node): string | undefined {
  if (typeof node.type !== 'string') return undefined;
  if (STATIC_IMPORTS.has(node.type)) return literal(node.source);
  if (node.type === 'TsImportType') return literal(node.argument);
  if (node.type === 'CallExpression' && (node.callee as Node | undefined)?.type === 'Import') {
    const [first] = node.arguments as { expression: unknown }[];
    return literal(first?.expression);
  }
  return undefined;
}

function literal(value: unknown): string | undefined {
  const node = value as Node | null | undefined;
  return node?.type === 'StringLiteral' ? String(node.value) : undefined;
}
