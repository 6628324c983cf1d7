import type { Command } from 'commander';
import { KongTsError } from '../../base/errors.ts';
import { readText } from '../../base/read-text.ts';
import { HooksApi } from './api.ts';
import { hookPath, show } from './show.ts';

interface Rotated {
  secret: string;
  /** Seconds since the epoch; null: the old secret has ended. */
  previous_secrets_until: number | null;
}

interface RotateOptions {
  overlap: string;
  secretFile?: string;
}

/** `hooks rotate-secret`: a new secret, with the old one beside it for a while. */
export function addRotate(hooks: Command): void {
  hooks
    .command('rotate-secret')
    .description('give a hook a new secret; the old one signs beside it for a day')
    .argument('<id>')
    .option('--overlap <seconds>', 'how long the old secret signs, too; 0: not at all', '86400')
    .option('--secret-file <file>', 'a file with the new secret (default: a random one)')
    .action(async (id: string, { overlap, secretFile }: RotateOptions, command: Command) => {
      const api = new HooksApi(command);
      if (!/^\d{1,9}$/.test(overlap))
        throw new KongTsError('USAGE', `--overlap needs seconds, not "${overlap}".`);
      const rotated = await api.call<Rotated>('POST', `${hookPath(id)}/rotate-secret`, {
        overlap_seconds: Number(overlap),
        ...(secretFile === undefined ? {} : { secret: readText(secretFile).trim() }),
      });
      show(api, rotated, () => describe(rotated));
    });
}

function describe({ secret, previous_secrets_until: until }: Rotated): string {
  const old =
    until === null
      ? 'The old one signs no more.'
      : `The old one signs beside it until ${new Date(until * 1000).toISOString()}: give the new one to the receivers before.`;
  return `The new secret is ${secret}\n${old}`;
}
