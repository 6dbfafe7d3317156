/**
 * The parser of YAML, which takes longer to load than an import of a model that has none. In a file of its own to be imported lazily: in a
 * bundle, a CommonJS library that is imported so has no named exports, and whatever stands beside it brings all that it imports.
 */
export { parseDocument } from 'yaml';
