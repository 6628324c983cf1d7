/** Programs that check the signature of a delivery, for the reader to copy. The secret is the receiver's own to fill in. */
export interface Snippet {
  readonly language: string;
  readonly text: string;
}

const node = `import { createHmac, timingSafeEqual } from 'node:crypto';

// rawBody: the exact bytes of the body, before any JSON.parse.
export function isGenuine(headers, rawBody, secret) {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  // An old delivery that somebody sends again is refused.
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) < 300)) return false;
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret);
  const expected = createHmac('sha256', key).update(\`\${id}.\${timestamp}.\`).update(rawBody).digest();
  // More than one signature while the secret is being rotated: one has to be right.
  return String(headers['webhook-signature'])
    .split(' ')
    .map((one) => Buffer.from(one.replace(/^v1,/, ''), 'base64'))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
}
`;

const python = `import base64, hashlib, hmac, time

# raw_body: the exact bytes of the body.
def is_genuine(headers, raw_body, secret):
    message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(timestamp)) >= 300:
        return False
    key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
    signed = f"{message_id}.{timestamp}.".encode() + raw_body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(one, expected) for one in headers["webhook-signature"].split(" "))
`;

const kong = `import { createHmac, timingSafeEqual } from 'node:crypto';

// The header of Kong itself: HMAC of the body alone, with the secret as it is written.
export function isGenuine(headers, rawBody, secret) {
  const expected = createHmac('sha256', secret).update(rawBody).digest();
  const given = Buffer.from(headers['x-kong-signature'] ?? '', 'hex');
  return given.length === expected.length && timingSafeEqual(given, expected);
}
`;

export const snippets: readonly Snippet[] = [
  { language: 'Node.js', text: node },
  { language: 'Python', text: python },
  { language: 'Node.js, x-kong-signature', text: kong },
];
