import { describe, expect, it } from '@jest/globals';
import { storageError } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import { redactError } from '../../src/handlers/redact-error.ts';

const HOME = '/home/alice/.local/share/model-rtc';

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: something about ${HOME}/models`), { code });
}

describe('redactError', () => {
  it('says not found at the source for what is not found here', () => {
    const told = redactError(new ModelRtcError('not_found_locally', 'No model on this machine is named "x".'));
    expect(told).toMatchObject({ code: 'not_found', exitCode: 3 });
    expect(told.message).toMatch(/^The worker /);
  });

  it('tells why a model is not pushed, and leaves what a runner says of one as it is', () => {
    const codeFiles = [{ path: 'best.ckpt', suspicious: [] }];
    const pushed = redactError(new ModelRtcError('refused', 'It runs code.', { details: { codeFiles } }));
    expect(pushed.message).toContain('Push it as safetensors');
    const details = { runner: 'sleap-nn', codeFiles: ['best.ckpt'] };
    const run = redactError(new ModelRtcError('refused', 'It is not run by sleap-nn.', { details }));
    expect(run).toMatchObject({ message: 'It is not run by sleap-nn.', details: { runner: 'sleap-nn' } });
  });

  it('names the disk of the worker, with what is needed and what is free', () => {
    const details = { neededBytes: 5e9, freeBytes: 1e6, folder: `${HOME}/staging` };
    const told = redactError(new ModelRtcError('storage_full', `${HOME}: too little room.`, { details }));
    expect(told.message).toMatch(/worker's disk .*5 GB.*1 MB/);
    expect(told).toMatchObject({ code: 'storage_full', exitCode: 7, details: { neededBytes: 5e9, freeBytes: 1e6 } });
    expect(redactError(systemError('ENOSPC'))).toMatchObject({ code: 'storage_full' });
  });

  it.each([
    ['wrong', /do not have the SHA-256/],
    ['damaged', /damaged on the way/],
    ['absent', /did not get it/],
  ])('says of a chunk that came %s what happened, without the name of whoever pushed', (how, said) => {
    const details = { source: 'laptop', file: 'a.gguf', how };
    const told = redactError(new ModelRtcError('verification_failed', 'laptop did it.', { details }));
    expect(told.message).toMatch(said);
    expect(told.message).not.toContain('laptop');
    expect(told.details).toEqual({ file: 'a.gguf' });
  });

  it('lets no path of this machine out', () => {
    const path = `${HOME}/models/gguf_0123/weights.gguf`;
    const errors = [
      storageError(systemError('EACCES'), path, 'read'),
      storageError(systemError('ENOSPC'), path, 'written'),
      new ModelRtcError('source_changed', `${path} is not what was registered.`, { details: { path } }),
      new ModelRtcError('busy', `${path} is held by process 7 on lab.`, { details: { path, pid: 7, host: 'lab' } }),
      new ModelRtcError('verification_failed', `The files in ${path} are wrong.`, { details: { path } }),
      new ModelRtcError('bad_argument', `There is no model at ${path}.`, { details: { path } }),
      new ModelRtcError('cancelled', `Cancelled while waiting for ${path}.`),
    ];
    for (const error of errors) {
      const { message, details } = redactError(error);
      expect(message + JSON.stringify(details)).not.toMatch(/alice|"pid"|"lab"/);
    }
    expect(redactError(errors[2]).message).toContain('"weights.gguf"');
  });

  it('says at the worker of an alias that is taken there, with the owner and the free ones', () => {
    const details = { alias: 'mouse', owner: { id: '01234567', modelType: 'gguf' }, suggestions: ['mouse-2'] };
    const told = redactError(new ModelRtcError('alias_taken', 'The alias "mouse" is taken.', { details }));
    expect(told.message).toBe(
      'At the worker the alias "mouse" is taken by model 01234567 (gguf). Choose another one, such as "mouse-2".',
    );
    expect(told.details).toEqual(details);
  });

  it('passes on what was said for clients, and hides nothing of its reason from the log', () => {
    const said = new ModelRtcError('not_found', 'The worker has no model "x".', { details: { ref: 'x' } });
    expect(redactError(said)).toMatchObject({ code: 'not_found', message: said.message, details: { ref: 'x' } });
    const hidden = new ModelRtcError('storage', `${HOME} cannot be read.`);
    expect(redactError(hidden).cause).toBe(hidden);
  });
});
