import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { cleanUrl } from '../../plugins/http-log-enterprise/record/clean-url.ts';
import { JsonObject } from '../../plugins/http-log-enterprise/record/document.ts';
import { decodeArgs, decodeBase64 } from '../../plugins/http-log-enterprise/record/lua-ngx.ts';
import { valueEnd } from '../../plugins/http-log-enterprise/record/json.ts';
import { numberPieces } from '../../plugins/http-log-enterprise/record/numbers.ts';
import { compileRedaction } from '../../plugins/http-log-enterprise/record/redaction.ts';
import { parseForm } from '../../src/event-hooks/admin/form.ts';
import { multipartFields } from '../../src/http/multipart.ts';
import { parseTemplate } from '../../src/event-hooks/handlers/template.ts';
import { handlerKinds } from '../../src/event-hooks/handlers/kinds.ts';
import type { WebhookCustomConfig } from '../../src/event-hooks/handlers/webhook-custom.ts';
import { webhookCustom } from '../../src/event-hooks/handlers/webhook-custom.ts';
import { Mask } from '../../src/event-hooks/model/mask.ts';
import { hiddenOf } from '../../src/event-hooks/model/secrecy.ts';
import { foreignCaller } from '../../src/http/callers.ts';
import { formPairs } from '../../src/http/form.ts';
import { endToEnd } from '../../src/http/headers.ts';
import { errorContentType } from '../../src/pdk/bodies/error-body.ts';
import { parseMultipart } from '../../src/pdk/bodies/multipart.ts';
import { firstQueryValue, parseQuery, removeQueryArg } from '../../src/pdk/bodies/query.ts';
import { parseBody as parseAdminBody } from '../../src/sandbox/admin/body.ts';
import { normalizePath, parseQuery as parseSandboxQuery } from '../../src/kong-end/request/uri.ts';
import { parseBody } from '../../src/kong-end/pdk/body-format.ts';
import { countSteps, growth } from '../support/steps.ts';

const sizes = [512, 1024, 2048, 4096];
/** Twice the input, twice the steps, and some. */
const linearFactor = 2.3;

/** A record of a request whose headers, arguments and URL are of the client's making. */
function hostileRecord(text: string): string {
  const names = Object.fromEntries((text.match(/.{1,4}/gs) ?? []).map((part, i) => [`${part}${i}`, part]));
  const request = {
    uri: `/?${text}`,
    url: `http://h/?${text}`,
    headers: { ...names, [text]: text, referer: `/?${text}` },
    querystring: { ...names, [text]: text },
  };
  return JSON.stringify({ request, upstream_uri: `/?${text}`, response: { status: 200, headers: names } });
}

const redactions = {
  deny: compileRedaction({
    mode: 'deny',
    defaults: true,
    replacement: 'x',
    json_paths: ['request.headers.*'],
  }),
  allow: compileRedaction({
    mode: 'allow',
    defaults: true,
    replacement: 'x',
    headers: ['a'],
    json_paths: ['*.uri'],
  }),
};

function redact(mode: keyof typeof redactions, text: string): void {
  const record = new JsonObject(hostileRecord(text));
  redactions[mode]?.(record);
  record.toRaw();
}

const secretsIn = (config: Partial<WebhookCustomConfig>) =>
  hiddenOf(
    { config: { url: 'http://h/', headers: {}, secret: null, payload: null, body: null, ...config } },
    webhookCustom,
  );

/** What reads a client's text. */
const readers: Readonly<Record<string, (text: string) => void>> = {
  'a form': (text) => parseQuery(text, 100),
  'a form of which much is wanted': (text) => parseQuery(text, 1000),
  'one argument of a query': (text) => firstQueryValue(text, 'nope', 1000),
  'a query without one argument': (text) => removeQueryArg(text, 'nope'),
  'an Accept header': (text) => errorContentType(text),
  'a form, in the sandbox': (text) => parseSandboxQuery(text, 1000),
  'a multipart body, in the sandbox': (text) =>
    parseBody('multipart/form-data; boundary=b', Buffer.from(text), 100),
  'a form for event hooks': (text) => parseForm(formPairs(text), handlerKinds.form),
  'the name of a field for event hooks': (text) => parseForm([[text, 'x']], handlerKinds.form),
  'a multipart body for an Admin API': (text) =>
    multipartFields(Buffer.from(`--b${text}`), 'multipart/form-data; boundary=b'),
  "a form for the sandbox's Admin API": (text) =>
    parseAdminBody(Buffer.from(text), 'application/x-www-form-urlencoded', false),
  "a multipart body for the sandbox's Admin API": (text) =>
    parseAdminBody(Buffer.from(text), 'multipart/form-data; boundary=b', false),
  'the secrets in a body': (text) => secretsIn({ body: text }),
  'the secrets in a header': (text) => secretsIn({ headers: { 'x-key': text } }),
  'who calls': (text) => foreignCaller('GET', { host: text, origin: text }, { loopback: false, names: [] }),
  'what Connection names': (text) => endToEnd(['Connection', text]),
  'a path, in the sandbox': (text) => normalizePath(text),
  'the secrets of a URL': (text) => cleanUrl(`/?${text}`, () => true, 'x'),
  'a value of a record': (text) => valueEnd(JSON.stringify({ body: text }), 0),
  'the redaction of a record': (text) => redact('deny', text),
  'the redaction of a record but for a list': (text) => redact('allow', text),
  'the numbers of a record': (text) => numberPieces(JSON.stringify({ body: text, next: 1 })),
};

/** Pieces that such texts are made of, short and long ones. */
const piece = fc.oneof(
  fc.string({
    unit: fc.constantFrom('&', '=', '%', '+', '?', ';', ',', '/', '.', '"', '\\', '-', '\n', '1'),
    minLength: 1,
    maxLength: 5,
  }),
  fc.constantFrom(
    ',12345678901234567',
    ':12345678901234567,',
    '--b',
    '\r\n--b',
    ';q=0.1',
    '{{',
    '{*a*}',
    '{%',
    'a[]=',
    '%ff',
    '%%',
  ),
);

describe('what a client sends costs no more than its length', () => {
  it.each(Object.entries(readers))('%s', (what, read) => {
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 3 }), (pieces) => {
        const unit = pieces.join('');
        const steps = (size: number) => countSteps(() => read(unit.repeat(Math.ceil(size / unit.length))));
        expect(growth(steps, sizes)).toBeLessThan(linearFactor);
      }),
      // A whole record is many steps.
      {
        numRuns: what.startsWith('the redaction') ? 10 : 60,
        examples: [[['&']], [['=']], [['%']], [[',12345678901234567']]],
      },
    );
  });

  it('base64 of equals signs in a custom field', { timeout: 5000 }, () => {
    expect(decodeBase64(`${'='.repeat(200_000)}!`)).toBeUndefined();
    expect(decodeBase64('YQ==')).toBe('a');
  });

  it.each(['{{a}}', '{*a*}', 'x{{a}}{', '{%{*a*}'])('a template of %s', (unit) => {
    const steps = (count: number) => countSteps(() => parseTemplate(unit.repeat(count)));
    expect(growth(steps, [60, 120, 240, 480])).toBeLessThan(linearFactor);
  });

  it.each(['{{', '{*', '{%', '{*{{'])('a body of nothing but %s', { timeout: 5000 }, (brace) => {
    expect(secretsIn({ body: `${brace.repeat(200_000)} token-123456` }).long).toEqual(['token-123456']);
  });

  it('a hook of more secrets than can be looked for, whose answers are not shown', { timeout: 5000 }, () => {
    const body = Array.from({ length: 80_000 }, (_, at) => `token${String(at).padStart(7, '0')}`).join(' ');
    const { long: secrets } = secretsIn({ body, headers: { 'x-key': 'a1 '.repeat(300_000) } });
    expect(new Mask(secrets).apply('token0000001 and others')).toBe('***');
    expect(new Mask(secrets).apply('')).toBe('');
    expect(new Mask(secrets.slice(-2)).apply('others')).toBe('others');
  });

  it('arguments of one name in a custom field', { timeout: 5000 }, () => {
    expect(decodeArgs('a&'.repeat(60_000), 1e9).a).toHaveLength(60_000);
  });

  it('a body of nothing but ampersands is read no further than its first arguments', () => {
    const body = '&'.repeat(3_000_000);
    expect(countSteps(() => parseQuery(body, 100))).toBeLessThan(1000);
  });

  it.each([
    ['a long boundary in a long line', '-', (at: number) => '-'.repeat(at)],
    ['lines that begin like the boundary', '-', () => `\n${'-'.repeat(60)}x`],
    ['parts that are empty', 'b', () => '\n--b\n'],
    ['line breaks', 'b', () => '\n'],
    ['headers without an end', 'b', () => '\n--b\nContent-Disposition: form-data; name="x'],
  ])('a multipart body: %s', (_what, letter, unit) => {
    const steps = (size: number) => {
      const boundary = letter.repeat(letter === '-' ? Math.floor(size / 8) : 1);
      const body = `--${boundary}\n${unit(8).repeat(Math.ceil(size / unit(8).length))}`;
      return countSteps((watched) => {
        try {
          parseMultipart(watched(Buffer.from(body)), `multipart/form-data; boundary="${boundary}"`);
        } catch {
          // A body that is malformed has been looked at, too.
        }
      });
    };
    expect(growth(steps, sizes)).toBeLessThan(linearFactor);
  });
});
