import { describe, expect, it } from '@jest/globals';
import { readTrainingLog } from '../../src/documents/training-log.ts';
import { memoryFile } from '../layouts/memory-files.ts';

async function read(text: string) {
  return await readTrainingLog(memoryFile('training_log.csv', text));
}

describe('readTrainingLog', () => {
  it('gives the best epoch by validation loss and the last epoch', async () => {
    expect(await read('epoch,train_loss,val_loss\n0,3,4\n1,2,1.5\n2,1,2\n')).toEqual({
      best_val_loss: 1.5,
      best_train_loss: 2,
      best_epoch: 1,
      last_epoch: 2,
      final_train_loss: 1,
      final_val_loss: 2,
    });
  });

  it('goes by the training loss when there is no other, and reads the columns of SLEAP 1.x', async () => {
    expect(await read('epoch,loss,lr\n0,3,0.1\n1,2,0.1\n')).toEqual({
      best_train_loss: 2,
      best_epoch: 1,
      last_epoch: 1,
      final_train_loss: 2,
    });
  });

  it('passes over values that are no numbers', async () => {
    expect(await read('epoch,val_loss\n0,nan\n1,2\n2,inf\n')).toEqual({
      best_val_loss: 2,
      best_epoch: 1,
      last_epoch: 2,
    });
  });

  it('passes over a last row that is still being written', async () => {
    expect(await read('epoch,train_loss,val_loss\n0,3,4\n1,2')).toMatchObject({ last_epoch: 0, final_val_loss: 4 });
  });

  it.each([
    ['nothing', ''],
    ['a title row', 'epoch,val_loss\n'],
    ['binary', '\u0000\u0001"\n"x'],
    ['prose', 'hello\nworld'],
  ])('gives nothing for a file with %s', async (_, text) => {
    expect(await read(text)).toEqual({});
  });
});
