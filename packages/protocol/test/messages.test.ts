import { describe, expect, it } from '@jest/globals';
import {
  isMethod,
  jobSchema,
  listModelsParams,
  MAX_CHUNKS_PER_REQUEST,
  METHODS,
  type Method,
  messageSchema,
  pushModelParams,
  SCOPES,
} from '../src/index.ts';
import { syntaxCases } from './support/syntax-cases.ts';

const digest = 'ab'.repeat(32);
const [manifest] = syntaxCases('manifest-valid.txt');
const entry = { id: 'abababab', modelType: 'gguf', source: 'local-import', status: 'completed', size: 4, fileCount: 1 };
const isTaken = (method: Method, params: unknown) => METHODS[method].params.safeParse(params).success;

describe('a method', () => {
  it('needs one of the scopes that tokens can have', () => {
    for (const { scopes } of Object.values(METHODS)) expect(SCOPES).toEqual(expect.arrayContaining([...scopes]));
  });

  it('lets a token that may only read change nothing', () => {
    const beyondRead = Object.entries(METHODS).filter(([, { scopes }]) => !scopes.some((scope) => scope === 'read'));
    expect(beyondRead.map(([name]) => name)).toEqual([
      ...[
        'push_model',
        'plan_push',
        'register_model',
        'unregister_model',
        'fetch_model',
        'list_runners',
        'check_data',
        'push_data',
        'submit_job',
        'list_jobs',
        'get_job',
        'follow_job',
      ],
      ...['cancel_job', 'get_results', 'report_fetched'],
    ]);
  });

  it('lets a token that may only run models fetch and push none', () => {
    const running = Object.entries(METHODS).filter(([, { scopes }]) => scopes.some((scope) => scope === 'track'));
    const names = running.map(([name]) => name);
    for (const name of ['list_models', 'get_manifest', 'push_model', 'plan_push']) expect(names).not.toContain(name);
  });

  it('is known by its name alone, not by what objects have of themselves', () => {
    expect(isMethod('list_models')).toBe(true);
    for (const name of ['', 'LIST_MODELS', 'toString', '__proto__', 'constructor']) expect(isMethod(name)).toBe(false);
  });

  it.each<[Method, unknown]>([
    ['list_models', {}],
    [
      'list_models',
      {
        filters: { status: 'completed', type: 'gguf', tag: 'x', alias: 'good-*' },
        sort: 'loss',
        cursor: 'c',
        limit: 1,
      },
    ],
    ['get_model_info', { ref: 'good-mouse-v1' }],
    ['check_model_exists', { ref: '/models/with space' }],
    ['get_manifest', { digest }],
    ['get_chunks', { digest, chunks: [{ index: 0xffff_ffff, digest }] }],
    ['push_model', { manifest, entry }],
    ['push_model', { manifest, entry, alias: 'x1', ifExists: 'overwrite', later: true }],
    ['push_model', { manifest, entry, alias: 'x1', aliasConflict: 'rename' }],
    ['report_installed', { digest }],
    ['report_installed', { digest, alias: 'good-mouse-v1' }],
    ['push_data', { manifest }],
    ['submit_job', { models: [digest], data: [{ digest, name: 'clip.mp4', form: 'file' }] }],
    [
      'submit_job',
      { models: [], data: [], resume: 'run-7', settings: { batch: 4, peaks: 0.2, gpu: true, tag: '; rm' } },
    ],
    ['list_jobs', {}],
    ['list_jobs', { states: ['queued', 'lost'], limit: 1 }],
    ['follow_job', { id: 'abcdefgh', fromEvent: 7 }],
    ['cancel_job', { id: 'abcdefgh0123' }],
  ])('%s takes %j', (method, params) => {
    expect(isTaken(method, params)).toBe(true);
  });

  it.each<[Method, unknown]>([
    ['list_models', undefined],
    ['list_models', { limit: 0 }],
    ['list_models', { limit: 201 }],
    ['list_models', { sort: 'colour' }],
    ['list_models', { filters: { status: 'done' } }],
    ['get_model_info', { ref: '' }],
    ['get_model_info', { ref: 7 }],
    ['get_manifest', { digest: 'abababab' }],
    ['get_chunks', { digest, chunks: [] }],
    ['get_chunks', { digest, chunks: Array(MAX_CHUNKS_PER_REQUEST + 1).fill({ index: 0, digest }) }],
    ['get_chunks', { digest, chunks: [{ index: -1, digest }] }],
    ['get_chunks', { digest, chunks: [{ index: 0.5, digest }] }],
    ['push_model', { manifest: { ...(manifest as object), files: [] }, entry }],
    ['push_model', { manifest, entry, alias: 'latest' }],
    ['push_model', { manifest, entry, ifExists: 'ask' }],
    ['push_model', { manifest, entry, ifExists: 'rename' }],
    ['push_model', { manifest, entry, aliasConflict: 'ask' }],
    ['report_installed', { digest: 'abababab' }],
    ['report_installed', { digest, alias: 'null' }],
    ['submit_job', { models: ['good-mouse-v1'], data: [] }],
    ['submit_job', { models: Array(17).fill(digest), data: [] }],
    ['submit_job', { models: [digest], data: Array(65).fill({ digest, name: 'a', form: 'file' }) }],
    ['submit_job', { models: [digest], data: [{ digest, name: '../clip.mp4', form: 'file' }] }],
    ['submit_job', { models: [digest], data: [{ digest, name: 'a/b', form: 'file' }] }],
    ['submit_job', { models: [digest], data: [{ digest, name: 'a\0b', form: 'file' }] }],
    ['submit_job', { models: [digest], data: [{ digest, name: 'clip.mp4', form: 'link' }] }],
    ['submit_job', { models: [digest], data: [], runner: '../../bin/sh' }],
    ['submit_job', { models: [digest], data: [], settings: { 'x y': 1 } }],
    ['submit_job', { models: [digest], data: [], settings: { x: null } }],
    ['submit_job', { models: [digest], data: [], settings: { x: ['a'] } }],
    ['submit_job', { models: [digest], data: [], settings: { x: Number.POSITIVE_INFINITY } }],
    ['submit_job', { models: [digest], data: [], settings: { x: 'x'.repeat(4097) } }],
    [
      'submit_job',
      { models: [digest], data: [], settings: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, i])) },
    ],
    ['list_jobs', { states: ['done'] }],
    ['get_job', { id: '../secret' }],
    ['get_job', { id: 'short' }],
    ['follow_job', { id: 'abcdefgh', fromEvent: 0 }],
  ])('%s refuses %j', (method, params) => {
    expect(isTaken(method, params)).toBe(false);
  });

  it('fills in what a caller may leave out', () => {
    expect(listModelsParams.parse({})).toEqual({ filters: {}, sort: 'date', limit: 200 });
    expect(pushModelParams.parse({ manifest, entry }).ifExists).toBe('skip');
    expect(pushModelParams.parse({ manifest, entry }).aliasConflict).toBeUndefined();
  });

  it('gives an answer of version 1.0, which knows no resume command', () => {
    const answer = METHODS.get_model_info.result.parse({ entry, resolvedBy: 'id' });
    expect(answer.resumeCommand).toBeUndefined();
    const interrupted = { entry, resolvedBy: 'id', resumeCommand: 'sleap-nn train' };
    expect(METHODS.get_model_info.result.parse(interrupted).resumeCommand).toBe('sleap-nn train');
  });
});

describe('a job', () => {
  const model = { digest, id: 'abababab', alias: 'good-mouse-v1' };
  const job = {
    ...{ id: 'abcdefgh', state: 'completed', runner: 'x', settings: {}, createdAt: '2026-01-02T03:04:05.678Z' },
    ...{ models: [model], data: [{ digest, name: 'clip.mp4', form: 'file' }], lastEvent: 0 },
  };
  const isJob = (changes: object) => jobSchema.safeParse({ ...job, ...changes }).success;

  it('has names that can stand in the name of a file, since its results are called by them', () => {
    expect(isJob({})).toBe(true);
    for (const name of ['../x', 'a/b', '..', '.', '', 'a\u0000', '/etc/passwd']) {
      expect(isJob({ models: [{ ...model, alias: name }] })).toBe(false);
      expect(isJob({ models: [{ ...model, id: name }] })).toBe(false);
      expect(isJob({ data: [{ digest, name, form: 'file' }] })).toBe(false);
      expect(isJob({ id: name })).toBe(false);
    }
  });
});

describe('a message', () => {
  const hello = {
    type: 'hello',
    protocol: { major: 1, minor: 0 },
    agent: { role: 'client', name: 'x', version: '1' },
    capabilities: [],
    limits: { maxMessageBytes: 65_536, maxOpenRequests: 1 },
  };

  it.each([
    [hello],
    [{ type: 'request', id: 0, method: 'a_method_of_a_later_version', params: {} }],
    [{ type: 'error', id: 1, error: { code: 'a_code_of_a_later_version', message: 'x' } }],
    [{ type: 'bye' }],
  ])('may be %j', (message) => {
    expect(messageSchema.safeParse(message).success).toBe(true);
  });

  it.each([
    [{ ...hello, limits: { maxMessageBytes: 65_535, maxOpenRequests: 1 } }],
    [{ ...hello, limits: { maxMessageBytes: 2 ** 26, maxOpenRequests: 1 } }],
    [{ ...hello, agent: { role: 'server', name: 'x', version: '1' } }],
    [{ ...hello, capabilities: Array(257).fill('x') }],
    [{ type: 'request', id: 0, method: 'list_models' }],
    [{ type: 'request', id: 2 ** 32, method: 'x', params: {} }],
    [{ type: 'request', id: 1, method: '', params: {} }],
    [{ type: 'reply' }],
    [{ type: 'error', id: 1, error: 'it failed' }],
    [{ type: 'ping' }],
    [{ type: '__proto__' }],
  ])('cannot be %j', (message) => {
    expect(messageSchema.safeParse(message).success).toBe(false);
  });
});
