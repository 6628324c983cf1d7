import { maskUserInfo } from '../base/user-info.ts';

/** Flags whose value is a secret. */
const secretFlags: ReadonlySet<string> = new Set(['--token', '--kong-admin-token']);

/**
 * The command line as lists of processes may show it: without tokens, and without users and passwords of URLs.
 * @returns null when there is nothing to hide
 */
export function withoutSecretWords(argv: readonly string[]): string[] | null {
  let hidden = false;
  const shown = argv.map((word, at) => {
    const [flag = '', ...value] = word.split('=');
    const masked = secretFlags.has(argv[at - 1] ?? '')
      ? '***'
      : secretFlags.has(flag) && value.length > 0
        ? `${flag}=***`
        : maskUrl(word);
    hidden ||= masked !== word;
    return masked;
  });
  return hidden ? shown : null;
}

const maskUrl = (word: string): string =>
  word.replace(/[a-z][a-z0-9+.-]*:\/\/[^\s]*@[^\s]*/i, (url) => maskUserInfo(url).replace('://', '://***@'));

/**
 * Takes secrets out of what `ps` shows of this process from now on. Until then, and in the history of a shell, others
 * can see them. The environment and files are the better way.
 */
export function hideSecrets(argv: readonly string[]): void {
  const shown = withoutSecretWords(argv);
  if (shown === null) return;
  process.title = [process.argv[0], process.argv[1], ...shown].join(' ');
}
