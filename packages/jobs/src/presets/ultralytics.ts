import { programPreset } from './program-preset.ts';
import { integer, number, text } from './settings.ts';

/**
 * Source: https://docs.ultralytics.com, modes, predict. Only images and videos: it would follow a list in a text file to any
 * file or address. Its checkpoints are pickles, so the owner has to allow them.
 */
export const ultralytics = programPreset({
  name: 'ultralytics',
  program: 'yolo',
  install: 'Install it, for example: uv tool install ultralytics',
  runner: () => ({
    description: 'Predicts on images and videos with YOLO and other models of Ultralytics.',
    args: [
      ...['yolo', 'predict', 'model={checkpoint}', 'source={input}', 'project={output}', 'name=predictions'],
      ...['exist_ok=True', 'save={set.save}', 'save_txt=True', 'save_conf=True', 'conf={set.conf}', 'iou={set.iou}'],
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
      conf: number({ min: 0, max: 1, default: 0.25 }, 'The least confidence of a detection'),
      iou: number({ min: 0, max: 1, default: 0.7 }, 'From which overlap on two detections are one'),
      imgsz: integer({ min: 32, max: 8192 }, 'Pixels that images are resized to [as trained]'),
      max_det: integer({ min: 1, max: 100_000, default: 300 }, 'Detections in one image at most'),
      vid_stride: integer({ min: 1, max: 10_000, default: 1 }, 'Of a video, every how many frames'),
      device: text({ pattern: '(cpu|mps|[0-9]{1,2}(,[0-9]{1,2})*)' }, 'cpu, mps, or the number of a GPU'),
      save: {
        type: 'boolean',
        default: true,
        description: 'Also draw the detections into the images or the video',
      },
    },
  }),
});
