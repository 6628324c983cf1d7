/** nginx's texts of moments: `ngx.http_time`, `cookie_time` and `parse_http_time`. */

function dateOf(seconds: unknown): Date {
  const number = typeof seconds === 'string' && seconds.trim() !== '' ? Number(seconds) : seconds;
  const date = new Date(typeof number === 'number' ? Math.trunc(number) * 1000 : NaN);
  if (Number.isNaN(date.getTime())) throw new Error('number expected');
  return date;
}

/** `Sun, 06 Nov 1994 08:49:37 GMT`. */
export const httpTime = (seconds: unknown): string => dateOf(seconds).toUTCString();

/** `Sun, 06-Nov-94 08:49:37 GMT`. */
export const cookieTime = (seconds: unknown): string =>
  httpTime(seconds).replace(/ (\d\d) (\w{3}) \d\d(\d\d) /, ' $1-$2-$3 ');

const day = String.raw`(?<day>\d{1,2})`;
const clock = String.raw`(?<clock>\d\d:\d\d:\d\d)`;
const forms = [
  new RegExp(String.raw`^\w+, +${day} (?<month>\w{3}) (?<year>\d{4}) ${clock}`),
  new RegExp(String.raw`^\w+, +${day}-(?<month>\w{3})-(?<year>\d\d) ${clock}`),
  new RegExp(String.raw`^\w{3} (?<month>\w{3}) +${day} ${clock} (?<year>\d{4})`),
];

/** Seconds since 1970 of one of the three forms that HTTP knows; undefined for anything else. */
export function parseHttpTime(text: unknown): number | undefined {
  const given = typeof text === 'string' ? text.slice(0, 64) : '';
  for (const form of forms) {
    const parts = form.exec(given)?.groups;
    if (parts === undefined) continue;
    const short = Number(parts['year']);
    const year = short >= 100 ? short : short + (short < 70 ? 2000 : 1900);
    const time = Date.parse(`${parts['day']} ${parts['month']} ${year} ${parts['clock']} GMT`);
    // A 31st of April would be the 1st of May.
    const isReal = new Date(time).getUTCDate() === Number(parts['day']);
    return Number.isNaN(time) || !isReal ? undefined : time / 1000;
  }
  return undefined;
}
