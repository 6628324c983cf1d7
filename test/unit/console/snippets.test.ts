import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { Signer } from '../../../src/event-hooks/handlers/signature.ts';
import { snippets } from '../../../src/console/text/snippets.ts';

const body = '{"n":1,"text":"é"}';
const id = 'event_hook';
const secrets = ['whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ=', 'plain text'];

function headersFor(secret: string, at = Date.now(), signed = body): Record<string, string> {
  const signer = new Signer(secret, ['an older one']);
  const timestamp = Math.floor(at / 1000);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signer.standard(id, timestamp, signed),
    'x-kong-signature': signer.kong(signed),
  };
}

const textOf = (language: string): string => snippets.find((one) => one.language === language)?.text ?? '';

type Check = (headers: Record<string, string>, body: Buffer, secret: string) => boolean;

describe('the programs that check a signature', () => {
  it.each(['Node.js', 'Node.js, x-kong-signature'])(
    'in %s take what is signed, and nothing else',
    async (language) => {
      const module = (await import(`data:text/javascript,${encodeURIComponent(textOf(language))}`)) as {
        isGenuine: Check;
      };
      for (const secret of secrets) {
        expect(module.isGenuine(headersFor(secret), Buffer.from(body), secret)).toBe(true);
        expect(module.isGenuine(headersFor(secret), Buffer.from(`${body} `), secret)).toBe(false);
        expect(module.isGenuine(headersFor('another'), Buffer.from(body), secret)).toBe(false);
        expect(module.isGenuine({}, Buffer.from(body), secret)).toBe(false);
      }
    },
  );

  it('refuse an old delivery that somebody sends again', async () => {
    const module = (await import(`data:text/javascript,${encodeURIComponent(textOf('Node.js'))}`)) as {
      isGenuine: Check;
    };
    const [secret = ''] = secrets;
    expect(module.isGenuine(headersFor(secret, Date.now() - 3_600_000), Buffer.from(body), secret)).toBe(
      false,
    );
  });

  const python = spawnSync('python3', ['--version']).status === 0;
  it.skipIf(!python)('in Python take what is signed, and nothing else (where there is a python3)', () => {
    const cases = secrets.flatMap((secret) => [
      [headersFor(secret), body, secret],
      [headersFor(secret), `${body} `, secret],
      [headersFor(secret, Date.now() - 3_600_000), body, secret],
    ]);
    const program = `${textOf('Python')}
import json, sys
print(json.dumps([is_genuine(h, b.encode(), s) for h, b, s in json.load(sys.stdin)]))`;
    const { stdout } = spawnSync('python3', ['-c', program], {
      input: JSON.stringify(cases),
      encoding: 'utf8',
    });
    expect(JSON.parse(stdout)).toEqual([true, false, false, true, false, false]);
  });
});
