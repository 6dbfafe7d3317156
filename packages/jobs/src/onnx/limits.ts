/** What the onnx runner takes in. All of it comes from a client, and the program reads it in a process of its own. */

/** The header of a .npy file, which is a line of text; that of a structured type with hundreds of fields has 20 KiB. */
export const MAX_NPY_HEADER_BYTES = 64 * 1024;
/** Axes of one tensor; numpy itself takes 64. */
export const MAX_AXES = 32;
/** One tensor. Node reads and allocates no more at once everywhere; more data goes into several files. */
export const MAX_TENSOR_BYTES = 2 * 1024 ** 3 - 1;
/** One image file, which is decoded in memory. */
export const MAX_IMAGE_FILE_BYTES = 256 * 1024 ** 2;
/** Pixels of one image: 100 million take 400 MB when they are decoded, and a header can claim 4 billion squared. */
export const MAX_IMAGE_PIXELS = 100_000_000;
/** Files of one job. */
export const MAX_DATA_FILES = 100_000;
/** Numbers in one JSON file: 10 million take some 200 MB of text. */
export const MAX_JSON_NUMBERS = 10_000_000;
/** Inputs and outputs of a model; large language models have one for each layer. */
export const MAX_MODEL_PORTS = 4096;
