// Which paths are those of checkpoints, told by the name alone.

/** Whether a path is a checkpoint by its name, and so may carry a graph. */
export function isCheckpointPath(path: string): boolean {
  return /\.safetensors$/i.test(path);
}
