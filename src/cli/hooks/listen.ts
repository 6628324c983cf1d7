import type { Command } from 'commander';
import { KongTsError } from '../../base/errors.ts';
import { readText } from '../../base/read-text.ts';
import { receivedText } from './received-text.ts';
import { startReceiver } from './receiver.ts';
import { untilEnded } from './until-ended.ts';

interface ListenOptions {
  host: string;
  port: string;
  status: string;
  secret?: string;
  secretFile?: string;
}

/** `hooks listen`: a target on this machine that prints what it gets. */
export function addListen(hooks: Command): void {
  hooks
    .command('listen')
    .description('receive deliveries on this machine and print them; Ctrl-C ends it')
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--port <port>', 'the port to listen on; 0: any free one', '9000')
    .option('--status <status>', 'what each delivery is answered with (500 shows retries)', '200')
    .option('--secret <secret>', "the hook's secret: says whether signatures are good")
    .option('--secret-file <file>', 'a file with that secret')
    .addHelpText(
      'after',
      `
A dispatcher sends to this machine only if its user allows it: "kong-ts hooks serve --allow-loopback", or
"kong-ts serve ... --event-hooks-allow loopback".`,
    )
    .action(async (options: ListenOptions) => {
      const { secretFile } = options;
      const secret = options.secret ?? (secretFile === undefined ? null : readText(secretFile).trim());
      const receiver = await startReceiver({
        host: options.host,
        port: numberIn('--port', options.port, 0, 65_535),
        status: numberIn('--status', options.status, 200, 599),
        received: (request) => process.stdout.write(`\n${receivedText(request, secret, Date.now())}`),
      });
      process.stdout.write(
        `Listening on ${receiver.url} (Ctrl-C ends it). To send it every change of a consumer:\n\n` +
          `  kong-ts hooks create source=crud event=consumers handler=webhook config.url=${receiver.url}` +
          `${secret === null ? '' : ' config.secret=SECRET'}\n`,
      );
      await untilEnded();
      await receiver.close();
    });
}

function numberIn(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new KongTsError(
    'USAGE',
    `${option} has to be from ${String(least)} to ${String(most)}, not "${text}".`,
  );
}
