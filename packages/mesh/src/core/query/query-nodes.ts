import type { MeshNodeInfo, MeshProperty } from '../../types.ts';
import type { Condition } from './parse-where.ts';

/** Which nodes are wanted; everything that is given must hold. */
export interface NodeQuery {
  readonly where?: readonly Condition[] | undefined;
  /** Tags that a node must have, all of them. */
  readonly tags?: readonly string[] | undefined;
  /** The property by which the best come first. */
  readonly best?: string | undefined;
}

type Node = Pick<MeshNodeInfo, 'key' | 'name' | 'role' | 'tags' | 'properties' | 'isPresent' | 'reliability'> &
  Partial<Pick<MeshNodeInfo, 'latencyMs' | 'modelCount'>>;

/** Properties for which less is better. */
const LESS_IS_BETTER: ReadonlySet<string> = new Set(['load', 'latency', 'queue']);

/**
 * The nodes that fit. With `best`, those with the most of it come first (the least of `load`, `latency` and `queue`) and those
 * without it last; else present ones come before absent ones, and reliable ones first. The order never depends on the input's.
 */
export function queryNodes<T extends Node>(nodes: readonly T[], { where = [], tags = [], best }: NodeQuery): T[] {
  const fits = (node: T): boolean =>
    tags.every((tag) => node.tags.includes(tag)) && where.every((condition) => holds(node, condition));
  return nodes.filter(fits).sort((a, b) => (best === undefined ? 0 : compareBy(best, a, b)) || usualOrder(a, b));
}

/** What this machine knows of a node by itself: a node cannot announce another value for it. */
const KNOWN: Readonly<Record<string, (node: Node) => MeshProperty | undefined>> = {
  name: ({ name }) => name,
  role: ({ role }) => role,
  models: ({ modelCount }) => modelCount,
  reliability: ({ reliability }) => reliability,
  latency: ({ latencyMs }) => latencyMs,
};

/** What is known of a property of a node; `latency` is in milliseconds. */
export function propertyOf(node: Node, property: string): MeshProperty | undefined {
  if (Object.hasOwn(KNOWN, property)) return KNOWN[property]?.(node);
  return Object.hasOwn(node.properties, property) ? node.properties[property] : undefined;
}

/** The names of all properties that something is known about, sorted. */
export function knownProperties(nodes: readonly Node[]): readonly string[] {
  return [...new Set([...Object.keys(KNOWN), ...nodes.flatMap(({ properties }) => Object.keys(properties))])].sort();
}

/** A node that does not say anything about a property fits no condition about it, not even `!=`. */
function holds(node: Node, { property, comparison, value }: Condition): boolean {
  const has = propertyOf(node, property);
  if (has === undefined) return false;
  if (comparison === '=' || comparison === '!=') return isSame(has, value) === (comparison === '=');
  if (typeof has !== 'number' || typeof value !== 'number') return false;
  if (comparison === '>=') return has >= value;
  if (comparison === '<=') return has <= value;
  return comparison === '>' ? has > value : has < value;
}

/** Texts are compared without regard to case: nodes and people write "Linux" either way. */
function isSame(has: MeshProperty, value: MeshProperty): boolean {
  return typeof has === 'number' && typeof value === 'number'
    ? has === value
    : String(has).toLowerCase() === String(value).toLowerCase();
}

function compareBy(best: string, a: Node, b: Node): number {
  const [ofA, ofB] = [rankOf(a, best), rankOf(b, best)];
  if (ofA === undefined || ofB === undefined) return Number(ofA === undefined) - Number(ofB === undefined);
  return LESS_IS_BETTER.has(best) ? ofA - ofB : ofB - ofA;
}

function rankOf(node: Node, best: string): number | undefined {
  const value = propertyOf(node, best);
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'number' ? value : undefined;
}

function usualOrder(a: Node, b: Node): number {
  return (
    Number(b.isPresent) - Number(a.isPresent) ||
    b.reliability - a.reliability ||
    compareTexts(a.name, b.name) ||
    compareTexts(a.key, b.key)
  );
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
