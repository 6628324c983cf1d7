import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Mask } from '../../../../src/event-hooks/model/mask.ts';

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
/** Ways to write each character; `pick` chooses by character. */
const escapes: ((character: string) => string)[] = [
  (character) => character,
  (character) =>
    [...character].map((one) => one.split('').map((unit) => `\\u${hex(unit.charCodeAt(0), 4)}`)).join(''),
  (character) => [...Buffer.from(character)].map((byte) => `%${hex(byte, 2).toUpperCase()}`).join(''),
  (character) => `&#${String(character.codePointAt(0))};`,
  (character) => `&#x${hex(character.codePointAt(0) ?? 0, 2)};`,
  (character) => JSON.stringify(character).slice(1, -1),
];
const writing = fc.array(fc.nat(escapes.length - 1), { minLength: 1, maxLength: 40 });
const secret = fc
  .string({ minLength: 8, maxLength: 40, unit: 'grapheme-ascii' })
  .filter((text) => /^\S+$/.test(text));

const written = (text: string, picks: readonly number[]): string =>
  [...text].map((one, at) => escapes[picks[at % picks.length] ?? 0]?.(one) ?? '').join('');

describe('a mask', () => {
  it('finds a secret whose characters are escaped each in its own way, and leaves what is around it', () => {
    fc.assert(
      fc.property(secret, writing, (text, picks) => {
        expect(new Mask([text]).apply(`<<${written(text, picks)}>>`)).toBe('<<***>>');
      }),
    );
  });

  it('finds it in JSON inside of JSON', () => {
    fc.assert(
      fc.property(secret, (text) => {
        const inner = JSON.stringify({ a: [text, 'b'] });
        const masked = new Mask([text]).apply(JSON.stringify({ body: inner }));
        expect(JSON.parse(masked)).toEqual({ body: JSON.stringify({ a: ['***', 'b'] }) });
      }),
    );
  });

  it('leaves no beginning of a secret where a text was cut off, also within an escape', () => {
    fc.assert(
      fc.property(secret, writing, fc.nat(), (text, picks, at) => {
        const whole = written(text, picks);
        const cut = whole.slice(0, at % (whole.length + 1));
        const shown = new Mask([text]).apply(`<<${cut}`);
        // Fewer than four characters say nothing.
        const characters = [...text].filter(
          (_, at0) => cut.length >= written(text.slice(0, at0 + 1), picks).length,
        );
        if (characters.length >= 4) expect(shown).toBe('<<***');
      }),
    );
  });

  it.each([
    ['base64', (text: string) => Buffer.from(text).toString('base64')],
    ['base64 of URLs', (text: string) => Buffer.from(text).toString('base64url')],
    ['hex', (text: string) => Buffer.from(text).toString('hex')],
    ['a form', (text: string) => new URLSearchParams({ text }).toString().slice(5)],
  ])('finds it as %s', (_name, encode) => {
    const text = 'pä ss/wörd?>~~ü+1';
    expect(new Mask([text]).apply(`x${encode(text)}`)).toMatch(/^x\*\*\*=*$/);
  });

  it('leaves other texts as they are, lone surrogates and broken escapes included', () => {
    for (const text of [
      '',
      'ok',
      '\ud800\\u12%zz&#;&#x110000;',
      '%'.repeat(1024),
      '\\'.repeat(1024),
      '&#9999999;',
    ])
      expect(new Mask(['secret-0']).apply(text)).toBe(text);
  });

  it('reads the escapes of a long text a few times only, whatever is in it', () => {
    const text = `${'%255c'.repeat(20_000)} `;
    expect(new Mask(['secret-0']).apply(`${text}secret-0`) === `${text}***`).toBe(true);
  });
});
