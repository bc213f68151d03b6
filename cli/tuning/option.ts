// The option of commands that compile: which tuning they use.

export const TUNING_OPTION = [
  '--tuning <FILE>',
  'choose convolutions by what unetc tune measured; none for the cost model (default: what ships for the target)',
] as const;
