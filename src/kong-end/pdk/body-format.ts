import { decodeText, encodeText } from '../../base/text.ts';
import { formatQuery, parseQuery } from '../request/uri.ts';

/** A body decoded by its content type; null when the type is not known or the body is not of it. */
export function parseBody(contentType: string | null, body: Buffer, maxArgs = 100): unknown {
  const [type = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim());
  const text = decodeText(body);
  switch (type.toLowerCase()) {
    case 'application/x-www-form-urlencoded':
      return parseQuery(text, maxArgs);
    case 'application/json':
      try {
        const value = JSON.parse(text) as unknown;
        return typeof value === 'object' ? value : null;
      } catch {
        return null;
      }
    case 'multipart/form-data': {
      const boundary = parameters
        .find((each) => each.startsWith('boundary='))
        ?.slice(9)
        .replace(/^"(.*)"$/, '$1');
      return boundary === undefined || boundary === '' ? null : parseMultipart(text, boundary);
    }
    default:
      return null;
  }
}

function parseMultipart(text: string, boundary: string): Record<string, string> {
  const fields = Object.create(null) as Record<string, string>;
  for (const part of text.split(`--${boundary}`).slice(1)) {
    if (part.startsWith('--')) break;
    const at = part.indexOf('\r\n\r\n');
    const name = at < 0 ? null : /name="([^"]*)"/i.exec(part.slice(0, at));
    if (name?.[1] !== undefined) fields[name[1]] = part.slice(at + 4).replace(/\r\n$/, '');
  }
  return fields;
}

export interface FormattedBody {
  body: Buffer;
  contentType: string;
}

/** A table as a body of the given type; null for a type that Kong cannot write. */
export function formatBody(mime: string, fields: Record<string, unknown>): FormattedBody | null {
  switch ((mime.split(';')[0] ?? '').trim()) {
    case 'application/x-www-form-urlencoded':
      return { body: encodeText(formatQuery(fields)), contentType: mime };
    case 'application/json':
      return { body: encodeText(JSON.stringify(fields)), contentType: mime };
    case 'multipart/form-data':
      return formatMultipart(mime, fields);
    default:
      return null;
  }
}

function formatMultipart(mime: string, fields: Record<string, unknown>): FormattedBody {
  const names = Object.keys(fields).sort();
  const values = names.map((name) => String(fields[name] as string | number | boolean));
  let boundary = /boundary="?([^"]+)/.exec(mime)?.[1] ?? '';
  while (boundary === '' || values.some((value) => value.includes(`\n--${boundary}`)))
    boundary = String(Math.floor(Math.random() * 1e10));
  const parts = names.map(
    (name, index) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${values[index] as string}\r\n`,
  );
  return {
    body: encodeText(`${parts.join('')}--${boundary}--\r\n`),
    contentType: `multipart/form-data; boundary=${boundary}`,
  };
}
