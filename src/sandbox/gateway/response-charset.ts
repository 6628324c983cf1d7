/** nginx's charset_types: `charset UTF-8`, as Kong sets it, names the charset of these where nobody has. */
const types = new Set([
  'text/html',
  'text/xml',
  'text/plain',
  'text/vnd.wap.wml',
  'application/javascript',
  'application/rss+xml',
]);

/** The Content-Type that a client sees. */
export function withCharset(contentType: string): string {
  return types.has(contentType.toLowerCase()) ? `${contentType}; charset=UTF-8` : contentType;
}
