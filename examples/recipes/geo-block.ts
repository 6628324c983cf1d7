import { readFileSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { definePlugin, z } from 'kong-ts';

interface Range {
  readonly first: bigint;
  readonly last: bigint;
  readonly country: string;
}

/** An address as a number. IPv4 stands in the range of IPv6 that is made for it. */
function numberOf(address: string): bigint | null {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIP(plain) === 4) return plain.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0xffffn);
  if (isIP(plain) !== 6 || plain.includes('.') || plain.includes('%')) return null;
  const [front = '', back] = plain.split('::');
  const groups = front === '' ? [] : front.split(':');
  const after = back === undefined || back === '' ? [] : back.split(':');
  while (groups.length + after.length < 8) groups.push('0');
  return [...groups, ...after].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

/** Rows such as `2.16.0.0/13,FR`, sorted. @throws naming the line that cannot be read, or that overlaps another */
function readRanges(file: string): Range[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  const ranges = lines.flatMap((text, at): Range[] => {
    if (text.trim() === '' || text.startsWith('#')) return [];
    const [, address = '', bits = '', country = ''] =
      /^([\da-f.:]+)\/(\d{1,3}),([A-Z]{2})\s*$/i.exec(text) ?? [];
    const first = numberOf(address);
    const size = isIP(address) === 4 ? 32 - Number(bits) : 128 - Number(bits);
    if (first === null || bits === '' || size < 0)
      throw new Error(`${file}, line ${String(at + 1)}: write NETWORK/BITS,COUNTRY`);
    const start = (first >> BigInt(size)) << BigInt(size);
    return [{ first: start, last: start + (1n << BigInt(size)) - 1n, country: country.toUpperCase() }];
  });
  ranges.sort((a, b) => (a.first < b.first ? -1 : 1));
  ranges.forEach(({ first, country }, at) => {
    const before = ranges[at - 1];
    if (before !== undefined && before.last >= first)
      throw new Error(`${file}: ranges of ${before.country} and ${country} overlap`);
  });
  return ranges;
}

/** The country of an address, by binary search; null if no range has it. */
function countryOf(address: string, ranges: readonly Range[]): string | null {
  const wanted = numberOf(address);
  if (wanted === null) return null;
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle]?.first ?? 0n) <= wanted) low = middle + 1;
    else high = middle;
  }
  const range = ranges[low - 1];
  return range !== undefined && range.last >= wanted ? range.country : null;
}

/** Lets only clients of some countries through. The server needs a file of networks, which you have to keep current. */
export default definePlugin({
  name: 'geo-block',
  version: '1.0.0',
  priority: 990,
  config: z.object({
    file: z.string().min(1).describe('Rows such as 2.16.0.0/13,FR'),
    allow: z.array(z.string().length(2)).min(1).describe('Country codes'),
    unknown: z.enum(['allow', 'refuse']).default('refuse').describe('Addresses that no row has'),
    always: z
      .array(z.string())
      .default([])
      .describe('Networks that may pass in any case, such as 10.0.0.0/8'),
  }),
  phases: ['access'],
  setup({ config, log }) {
    // If the file cannot be read, setup throws, and requests are answered with 500.
    const ranges = readRanges(config.file);
    const allowed = new Set(config.allow.map((country) => country.toUpperCase()));
    const always = new BlockList();
    for (const network of config.always) {
      const [address = '', bits = ''] = network.split('/');
      always.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
    }
    log.notice('networks are read', { count: ranges.length });
    return {
      async access(kong) {
        // The peer's address, unless the peer is one of Kong's trusted_ips: no client can choose its country.
        const address = await kong.client.getForwardedIp();
        if (isIP(address) !== 0 && always.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')) return;
        const country = countryOf(address, ranges);
        if (country === null ? config.unknown === 'allow' : allowed.has(country)) return;
        return kong.response.exit(451, { message: 'Not available where you are' });
      },
    };
  },
});
