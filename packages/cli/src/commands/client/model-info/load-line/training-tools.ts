import { type Snippets, shellText } from './snippet.ts';

/** How the tools that train a kind of model load it, by the entry's framework. */
export const TRAINING_TOOLS: Snippets = {
  'sleap-nn': ({ folder }) => `sleap-nn track --data_path VIDEO --model_paths ${shellText(folder)}`,
  sleap: ({ folder }) => `sleap-track VIDEO --model ${shellText(folder)}`,
};
