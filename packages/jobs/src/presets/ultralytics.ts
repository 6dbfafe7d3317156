import { findProgram } from '../process/find-tools.ts';
import type { Preset } from './types.ts';

/**
 * Source: https://docs.ultralytics.com, modes, predict. Only images and videos: it would follow a list in a text file to any
 * file or address. Its checkpoints are pickles, so the owner has to allow them.
 */
export const ultralytics: Preset = {
  name: 'ultralytics',
  async find({ PATH }) {
    const program = await findProgram('yolo', PATH);
    return {
      problem:
        program === undefined
          ? 'yolo is not in the PATH of the worker. Install it, for example: uv tool install ultralytics'
          : undefined,
      runner: {
        description: 'Predicts on images and videos with YOLO and other models of Ultralytics.',
        args: [
          ...['yolo', 'predict', 'model={checkpoint}', 'source={input}', 'project={output}', 'name=predictions'],
          ...[
            'exist_ok=True',
            'save={set.save}',
            'save_txt=True',
            'save_conf=True',
            'conf={set.conf}',
            'iou={set.iou}',
          ],
          ...['max_det={set.max_det}', 'vid_stride={set.vid_stride}', ['imgsz={set.imgsz}'], ['device={set.device}']],
        ],
        types: ['ultralytics'],
        inputs: [
          ...['.bmp', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp'],
          ...['.avi', '.gif', '.m4v', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.webm', '.wmv'],
        ],
        // It installs Python packages that a model asks for, unless told not to.
        env: { YOLO_AUTOINSTALL: 'false' },
        progress: '(?:\\(frame |image )(?P<done>[0-9]+)/(?P<total>[0-9]+)',
        set: {
          conf: { type: 'number', min: 0, max: 1, default: 0.25, description: 'The least confidence of a detection' },
          iou: {
            type: 'number',
            min: 0,
            max: 1,
            default: 0.7,
            description: 'From which overlap on two detections are one',
          },
          imgsz: { type: 'integer', min: 32, max: 8192, description: 'Pixels that images are resized to [as trained]' },
          max_det: {
            type: 'integer',
            min: 1,
            max: 100_000,
            default: 300,
            description: 'Detections in one image at most',
          },
          vid_stride: {
            type: 'integer',
            min: 1,
            max: 10_000,
            default: 1,
            description: 'Of a video, every how many frames',
          },
          device: {
            type: 'string',
            pattern: '(cpu|mps|[0-9]{1,2}(,[0-9]{1,2})*)',
            description: 'cpu, mps, or the number of a GPU',
          },
          save: {
            type: 'boolean',
            default: true,
            description: 'Also draw the detections into the images or the video',
          },
        },
      },
    };
  },
};
