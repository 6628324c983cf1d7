/**
 * The text fields of a multipart/form-data body (RFC 7578) as `curl -F` sends them, files among them. A part without a
 * name does not count; a last part that is not closed does.
 * @param contentType names the boundary; without one there are no fields
 * @returns names and values in their order, UTF-8 decoded
 */
export function multipartFields(body: Buffer, contentType: string): [name: string, value: string][] {
  const match = /boundary=(?:"([^"]+)"|([^;\s"]+))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined) return [];
  const fields: [string, string][] = [];
  const [, ...parts] = `\r\n${body.toString('latin1')}`.split(`\r\n--${boundary}`);
  for (const part of parts) {
    if (part.startsWith('--')) break;
    const end = part.indexOf('\r\n\r\n');
    const name = end < 0 ? undefined : nameIn(part.slice(0, end));
    if (name !== undefined) fields.push([utf8(name), utf8(part.slice(end + 4))]);
  }
  return fields;
}

const utf8 = (latin1: string): string => Buffer.from(latin1, 'latin1').toString();

/** The name of a part. Each line is looked at once: a client may write as many of them, and as long ones, as it likes. */
function nameIn(head: string): string | undefined {
  for (const line of head.split(/\r\n|\r|\n/)) {
    const at = line.toLowerCase().indexOf('content-disposition:');
    const name = at < 0 ? null : /\bname="([^"]*)"/i.exec(line.slice(at + 20));
    if (name !== null) return name[1];
  }
  return undefined;
}
