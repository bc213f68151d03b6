// The rules of the training family, a part of the table of rules: what a step of training takes, and what becomes of runs.

export const TRAINING_RULES = {
  'training/memory': {
    severity: 'info',
    title: 'bytes that a step of training takes on the device',
    next: 'smaller microbatches take less, and so does computing blocks again, to the same bits: --memory of unetc train',
  },
  'training/operations': {
    severity: 'info',
    title: 'operations of a step of training',
    next: 'nothing, where it was meant: a step takes that much longer or shorter',
  },
  'training/limit': {
    severity: 'breaking',
    title: 'a step of training takes more than the limit',
    next: 'train with a smaller --microbatch, or raise --memory',
  },
  'training/folder': {
    severity: 'dangerous',
    title: 'runs of the old graph do not go on in their folder',
    next: 'end them with the old graph, or begin another folder from their last checkpoint: unetc train with its model file as --weights and its opt file as --optimizer',
  },
  'training/renamed': {
    severity: 'dangerous',
    title: 'what a run has goes by other names',
    next: 'write a rename map with --write-rename-map FILE, and give it to unetc train as --rename-map FILE beside --weights and --optimizer',
  },
  'training/lost': {
    severity: 'breaking',
    title: 'runs lack parameters of the new graph',
    next: 'no run of the old graph goes on: train anew, or put them back',
  },
} as const;
