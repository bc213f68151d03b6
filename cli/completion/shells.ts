// Completion of `unetc` as programs of shells. Each is whole: it asks nothing of unetc when a word is completed.

import type { CompletedCommand, CompletedOption, Offer } from './table.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** The program that a shell evaluates. */
export function completionFor(shell: Shell, commands: readonly CompletedCommand[]): string {
  switch (shell) {
    case 'bash':
      return bash(commands);
    case 'zsh':
      return zsh(commands);
    case 'fish':
      return fish(commands);
  }
}

/** A word as all three shells take it literally. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Lines of one text, which bash splits by `IFS`. */
function lines(words: readonly string[]): string {
  return quoted(words.join('\n'));
}

function bash(commands: readonly CompletedCommand[]): string {
  return `# bash completion of unetc; in ~/.bashrc: eval "$(unetc completion bash)"
_unetc() {
  local IFS=$'\\n' cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} words=
  # readline takes --option=value apart
  if [ "$cur" = = ]; then cur=; elif [ "$prev" = = ]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${lines(commands.map(({ name }) => name))} -- "$cur"))
    return
  fi
  case "\${COMP_WORDS[1]} $prev" in
${commands.flatMap(bashValues).join('\n')}
  esac
  case "\${COMP_WORDS[1]}" in
${commands.map(bashCommand).join('\n')}
    *) return ;;
  esac
}
complete -o filenames -F _unetc unetc
`;
}

function bashValues({ name, options }: CompletedCommand): readonly string[] {
  return options.flatMap(({ names, value }) => {
    if (value === null) return [];
    const patterns = names.map((one) => quoted(`${name} ${one}`)).join(' | ');
    return [`    ${patterns}) ${bashOffer(value)}; return ;;`];
  });
}

function bashCommand({ name, options, argument }: CompletedCommand): string {
  const names = options.flatMap((option) => option.names);
  return `    ${name})
      case "$cur" in
        -*) COMPREPLY=($(compgen -W ${lines(names)} -- "$cur")) ;;
        *) ${bashOffer(argument)} ;;
      esac ;;`;
}

function bashOffer(offer: Offer): string {
  switch (offer.kind) {
    case 'words':
      return `COMPREPLY=($(compgen -W ${lines(offer.words)} -- "$cur"))`;
    case 'files':
      return 'COMPREPLY=($(compgen -f -- "$cur"))';
    case 'folders':
      return 'COMPREPLY=($(compgen -d -- "$cur"))';
    case 'nothing':
      return 'COMPREPLY=()';
  }
}

function zsh(commands: readonly CompletedCommand[]): string {
  return `#compdef unetc
# zsh completion of unetc; in ~/.zshrc, behind compinit: eval "$(unetc completion zsh)"
_unetc() {
  local -a commands
  commands=(
${commands.map(({ name, about }) => `    ${quoted(`${name}:${about.replaceAll(':', '\\:')}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${commands.map(zshCommand).join('\n')}
  esac
}
if [ "$funcstack[1]" = _unetc ]; then _unetc "$@"; else compdef _unetc unetc; fi
`;
}

function zshCommand({ name, options, argument }: CompletedCommand): string {
  const specs = [...options.flatMap(zshOption), quoted(`*:argument:${zshOffer(argument)}`)];
  return `    ${name})\n      _arguments -s \\\n        ${specs.join(' \\\n        ')} ;;`;
}

function zshOption({ names, about, value }: CompletedOption): readonly string[] {
  const text = about.replaceAll('\\', '\\\\').replace(/[[\]:]/g, (sign) => `\\${sign}`);
  const taken = value === null ? '' : `:value:${zshOffer(value)}`;
  return names.map((name) => quoted(`(${names.join(' ')})${name}[${text}]${taken}`));
}

function zshOffer(offer: Offer): string {
  switch (offer.kind) {
    case 'words':
      return `(${offer.words.join(' ')})`;
    case 'files':
      return '_files';
    case 'folders':
      return '_files -/';
    case 'nothing':
      return '';
  }
}

function fish(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  const first = `not __fish_seen_subcommand_from ${names}`;
  const all = commands.flatMap(({ name, about, options, argument }) => {
    const condition = quoted(`__fish_seen_subcommand_from ${name}`);
    return [
      `complete -c unetc -f -n ${quoted(first)} -a ${quoted(name)} -d ${fishText(about)}`,
      `complete -c unetc -n ${condition} ${fishOffer(argument)}`,
      ...options.map((option) => `complete -c unetc -n ${condition} ${fishOption(option)}`),
    ];
  });
  return `# fish completion of unetc; in a file of ~/.config/fish/completions: unetc completion fish > unetc.fish\n${all.join('\n')}\n`;
}

/** fish has no way to end and begin a quoted word in the middle of it; it takes a backslash instead. */
function fishText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function fishOption({ names, about, value }: CompletedOption): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  return [...flags, ...(value === null ? [] : ['-r', fishOffer(value)]), `-d ${fishText(about)}`].join(' ');
}

function fishOffer(offer: Offer): string {
  switch (offer.kind) {
    case 'words':
      return `-f -a ${quoted(offer.words.join(' '))}`;
    case 'files':
      return '-F';
    case 'folders':
      return `-f -a '(__fish_complete_directories)'`;
    case 'nothing':
      return '-f';
  }
}
