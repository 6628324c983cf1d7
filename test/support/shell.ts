/** One simple command of a shell's line: its words, without the assignments before it. */
export type ShellCommand = readonly string[];

/**
 * The simple commands of a script as documents have them: quotes, comments, `\` at the end of a line, pipes, `&&`, `;`, `&`, and
 * redirections, which are dropped. No other grammar (loops are taken apart at their keywords).
 */
export function shellCommands(script: string): ShellCommand[] {
  const commands: string[][] = [];
  let words: string[] = [];
  let word: string | null = null;
  const endWord = (): void => {
    if (word !== null) words.push(word);
    word = null;
  };
  const endCommand = (): void => {
    endWord();
    if (words.length > 0) commands.push(words);
    words = [];
  };
  const text = script.replace(/\\\n/g, ' ');
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === "'" || character === '"') {
      const end = text.indexOf(character, at + 1);
      if (end === -1) throw new Error(`a quote is never closed: ${script}`);
      word = (word ?? '') + text.slice(at + 1, end);
      at = end;
    } else if (character === '#' && word === null) {
      at = text.indexOf('\n', at) === -1 ? text.length : text.indexOf('\n', at) - 1;
    } else if (/[\n;|&]/.test(character)) endCommand();
    else if (/\s/.test(character)) endWord();
    else word = (word ?? '') + character;
  }
  endCommand();
  return commands.map(withoutSyntax).filter((command) => command.length > 0);
}

/** Without assignments and keywords before the command, and without redirections. */
function withoutSyntax(words: readonly string[]): string[] {
  const from = words.findIndex((word) => !/^(?:[A-Z_]+=.*|do|done|while|then|fi|if)$/s.test(word));
  if (from === -1) return [];
  const rest = words.slice(from);
  return rest.filter((word, at) => word !== '>' && word !== '<' && !['>', '<'].includes(rest[at - 1] ?? ''));
}
