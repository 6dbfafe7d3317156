/** The hub that a model comes from where nothing else is said. */
export const PUBLIC_HUB = 'https://huggingface.co';
