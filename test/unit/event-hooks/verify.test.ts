import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { signatureProblem } from '../../../src/event-hooks/handlers/verify.ts';

const secret = 'whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ=';
const now = Date.UTC(2026, 0, 31, 12);
const body = '{"a":1}';

function signed(change: Record<string, string> = {}): { headers: Record<string, string>; body: Buffer } {
  const id = 'msg_1';
  return {
    headers: {
      'webhook-id': id,
      'webhook-timestamp': String(now / 1000),
      'webhook-signature': new Webhook(secret).sign(id, new Date(now), body),
      ...change,
    },
    body: Buffer.from(body),
  };
}

describe('the check of a signature', () => {
  it('takes what the reference library signs', () => {
    expect(signatureProblem(signed(), secret, now)).toBeNull();
    const several = { 'webhook-signature': `v1,AAAA ${String(signed().headers['webhook-signature'])}` };
    expect(signatureProblem(signed(several), secret, now)).toBeNull();
  });

  it.each([
    ['another body', { ...signed(), body: Buffer.from('{"a":2}') }, /another secret or body/],
    ['another id', signed({ 'webhook-id': 'msg_2' }), /another secret or body/],
    ['no signature', signed({ 'webhook-signature': '' }), /carries no signature/],
    ['no id', signed({ 'webhook-id': '' }), /webhook-id or webhook-timestamp is missing/],
    ['no number as timestamp', signed({ 'webhook-timestamp': '1e3' }), /is missing/],
  ])('refuses %s', (_what, request, problem) => {
    expect(signatureProblem(request, secret, now)).toMatch(problem);
  });

  it('refuses another secret, and an old or future delivery', () => {
    expect(signatureProblem(signed(), 'other', now)).toMatch(/another secret/);
    expect(signatureProblem(signed(), secret, now + 301_000)).toMatch(/301 s from this clock/);
    expect(signatureProblem(signed(), secret, now - 301_000)).toMatch(/301 s from this clock/);
  });
});
