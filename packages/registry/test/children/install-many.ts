import { openRegistry } from '../../src/index.ts';
import { installFiles } from '../helpers/models.ts';

const [home, name, count] = process.argv.slice(2) as [string, string, string];
const registry = await openRegistry({ home });
for (let i = 0; i < Number(count); i++) {
  await installFiles(registry, { 'best.ckpt': `weights ${name} ${i}` }, { alias: `${name}-${i}` as never });
  console.log(`installed ${i};`);
}
await registry.close();
