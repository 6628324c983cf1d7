/**
 * What a real Kong's nginx spends, in microseconds of CPU: Kong 3.9.3, one worker, medians of four alternating runs.
 * The load generator does the same with less, so that a saving of frames is worth more under Kong than it seems here.
 */
interface Prices {
  /** A request without a plugin. */
  readonly request: number;
  /** An event: its command, its end, and what comes in the first read. */
  readonly event: number;
  /** What one read of a later round trip costs, whatever is in it. */
  readonly read: number;
  /** A call by its method, and any other one. */
  readonly calls: Readonly<Record<string, number>>;
  readonly call: number;
}

const request = 39;
const event = 50;

const protobuf: Prices = {
  request,
  event,
  read: 10,
  calls: { 'kong.request.get_headers': 4, 'kong.response.get_headers': 4, 'kong.log.serialize': 65 },
  call: 3,
};

/** Each call is a round trip on a connection that is taken for it. */
const msgpack: Prices = {
  request,
  event,
  read: 0,
  calls: { 'kong.request.get_headers': 26, 'kong.response.get_headers': 26, 'kong.log.serialize': 65 },
  call: 25,
};

/** Where the work of a client of the server is charged. */
export interface Till {
  event(): void;
  read(): void;
  call(method: string): void;
}

/** Charges nothing: the load generator works as fast as it can. */
export const free: Till = { event: () => undefined, read: () => undefined, call: () => undefined };

/** How often what was spent is compared with what was charged, in milliseconds: the clock of CPU time is coarse. */
const compareEveryMs = 50;

/**
 * Spends the CPU time that nginx would have spent, at the time when nginx would: before the answer. What the load generator
 * needs by itself is part of it.
 */
export class Meter {
  #owed = 0;
  #base = 0;
  /** The part of a price that is spent here; the rest is the load generator's own work. */
  #share = 0.8;
  #comparedAt = 0;
  #comparedOwed = 0;

  /** Microseconds that were charged since the last `restart`. */
  get owed(): number {
    return this.#owed;
  }

  /** Forgets what was charged and what was spent. */
  restart(): void {
    this.#owed = this.#comparedOwed = 0;
    this.#base = spent();
    this.#comparedAt = performance.now();
  }

  till(protocol: 'protobuf' | 'msgpack'): Till {
    const prices = protocol === 'protobuf' ? protobuf : msgpack;
    return {
      event: () => this.#charge(prices.request + prices.event),
      read: () => this.#charge(prices.read),
      call: (method) => this.#charge(prices.calls[method] ?? prices.call),
    };
  }

  #charge(price: number): void {
    this.#owed += price;
    const began = performance.now();
    const until = began + (price * this.#share) / 1000;
    while (performance.now() < until);
    if (began - this.#comparedAt > compareEveryMs) this.#compare(began);
  }

  /** Half of the difference is made good until the next time. */
  #compare(now: number): void {
    const missing = this.#owed - (spent() - this.#base);
    const charged = this.#owed - this.#comparedOwed;
    this.#share = Math.min(2, Math.max(0, this.#share + missing / charged / 2));
    this.#comparedAt = now;
    this.#comparedOwed = this.#owed;
  }
}

function spent(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
