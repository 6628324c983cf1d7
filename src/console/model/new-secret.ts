/** A new secret in the form of Standard Webhooks: `whsec_` and 32 random bytes as base64. */
export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return `whsec_${btoa(String.fromCharCode(...bytes))}`;
}
