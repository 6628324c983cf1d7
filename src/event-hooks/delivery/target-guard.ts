import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { KongTsError } from '../../base/errors.ts';

export interface GuardOptions {
  /** 127.0.0.0/8 and ::1. Default false. */
  allowLoopback?: boolean;
  /** RFC 1918, carrier-grade NAT and unique local addresses. Default false. */
  allowPrivate?: boolean;
  /**
   * How this dispatcher's user allows what is refused, for errors. Default: the names of the two options above.
   */
  advice?: { readonly loopback: string; readonly private: string };
  /** Default: the system's resolver. */
  resolve?: (hostname: string) => Promise<string[]>;
}

const loopback = 'a loopback address';
const privateRange = 'a private address';

/** Metadata services that sit outside of the link-local range. */
const metadata = new Set([
  '100.100.100.200',
  '192.0.0.192',
  '168.63.129.16',
  'fd00:ec2::254',
  'fd20:ce::254',
]);

/**
 * Decides which addresses a delivery may go to, as protection against server-side request forgery. The guard resolves a
 * name and checks every address. The connection goes to the checked addresses only, so a name that changes in between
 * gains nothing.
 */
export class TargetGuard {
  readonly #loopback: boolean;
  readonly #private: boolean;
  readonly #advice: NonNullable<GuardOptions['advice']>;
  readonly #resolve: (hostname: string) => Promise<string[]>;

  constructor(options: GuardOptions = {}) {
    this.#loopback = options.allowLoopback ?? false;
    this.#private = options.allowPrivate ?? false;
    this.#advice = options.advice ?? { loopback: 'allowLoopback: true', private: 'allowPrivate: true' };
    this.#resolve =
      options.resolve ??
      (async (hostname) => (await lookup(hostname, { all: true })).map((found) => found.address));
  }

  /**
   * The addresses that may be connected to, in the resolver's order; those that are refused are left out.
   * @throws KongTsError TARGET_REFUSED when no address of the name is allowed
   */
  async addresses(hostname: string): Promise<[string, ...string[]]> {
    const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
    const found = isIP(bare) === 0 ? await this.#resolve(bare) : [bare];
    const [first, ...others] = found.filter((address) => this.refusal(address) === null);
    if (first !== undefined) return [first, ...others];
    const reasons = found.map((address) => `${address} is ${this.refusal(address) ?? ''}`);
    const why = reasons.length === 0 ? 'the name has no address' : reasons.join(', ');
    const fix = this.advice(found);
    throw new KongTsError(
      'TARGET_REFUSED',
      `The target ${hostname} is refused: ${why}.`,
      fix === null ? {} : { fix },
    );
  }

  /** How the user of this dispatcher allows addresses that are refused; null: nobody can. */
  advice(addresses: readonly string[]): string | null {
    const ranges = addresses.map((address) => this.refusal(address));
    const options = [
      ...(ranges.includes(loopback) ? [this.#advice.loopback] : []),
      ...(ranges.includes(privateRange) ? [this.#advice.private] : []),
    ];
    if (options.length === 0) return null;
    return `Start the dispatcher with ${options.join(' or ')} to allow it.`;
  }

  /** Why an address is refused, null when it is allowed. */
  refusal(address: string): string | null {
    if (!ipaddr.isValid(address)) return 'not an address';
    const parsed = embedded(ipaddr.parse(address));
    if (metadata.has(parsed.toString())) return 'a metadata service';
    const range = parsed.range();
    switch (range) {
      case 'unicast':
        return null;
      case 'loopback':
        return this.#loopback ? null : loopback;
      case 'private':
      case 'carrierGradeNat':
      case 'uniqueLocal':
        return this.#private ? null : privateRange;
      case 'linkLocal':
        return 'a link-local address';
      case 'multicast':
        return 'a multicast address';
      default:
        return `in the range "${range}"`;
    }
  }
}

/** The IPv4 address that an IPv6 address stands for (mapped, NAT64, 6to4), else the address itself. */
function embedded(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  if (address instanceof ipaddr.IPv4) return address;
  if (address.isIPv4MappedAddress()) return address.toIPv4Address();
  const bytes = address.toByteArray();
  const range = address.range();
  if (range === 'rfc6052') return new ipaddr.IPv4(bytes.slice(12, 16));
  if (range === '6to4') return new ipaddr.IPv4(bytes.slice(2, 6));
  // ::a.b.c.d, long deprecated, still understood by some systems.
  if (bytes.slice(0, 12).every((byte) => byte === 0) && bytes.slice(12, 15).some((byte) => byte !== 0)) {
    return new ipaddr.IPv4(bytes.slice(12, 16));
  }
  return address;
}
