/** What the driver process is asked to do, and what it answers. Both travel as JSON over IPC. */
export interface Job {
  socket: string;
  /** `mixed`: a plugin of each protocol has every second event, on the same connections. */
  protocol: 'protobuf' | 'msgpack' | 'mixed';
  /** One plugin, or one of each protocol for `mixed`. */
  plugin: string | readonly [msgpack: string, protobuf: string];
  config: Record<string, unknown>;
  phase: 'access' | 'log';
  /** Open connections, each with one event in flight: Kong's pattern, one per request it works on. */
  connections: number;
  /** How long to measure, in seconds, or how many events to run; whichever comes first. */
  seconds: number;
  events: number;
  /** Events per second on a fixed schedule (latency counts from the scheduled time); 0 is as fast as possible. */
  rate: number;
  /** ProtoBuf: numbers the records of `kong.log.serialize` from here on, so that each of them can be recognized. */
  firstNumber?: number;
  /** Whether each event and frame takes the CPU time that a real nginx spends on it. Default: no. */
  prices?: 'nginx';
  /** Events run before the clock starts. */
  warmup: number;
}

export interface Outcome {
  events: number;
  seconds: number;
  perSecond: number;
  /** PDK calls that the server made. */
  calls: number;
  /** Microseconds per event that a real nginx would have spent, the request itself included; 0 without prices. */
  nginx: number;
  /** Latency of one event, from Kong's first write to the server's last byte, in microseconds. */
  latency: { p50: number; p95: number; p99: number; max: number };
  /** CPU seconds that the driver itself used: near `seconds`, the driver and not the server is the limit. */
  driverCpu: number;
}

/** What both protocols offer the load generator. */
export interface Client {
  /** Runs one event on the pool's connections and calls back when the server has answered. */
  run(phase: string, done: (error: Error | null) => void): void;
  /** Events that are in flight. */
  readonly running: number;
  /** PDK calls that were answered. */
  readonly calls: number;
}
