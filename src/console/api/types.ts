/** What the API answers. */
export interface Session {
  role: 'admin' | 'read' | null;
  login: boolean;
  payloads: boolean;
  expires_at: number | null;
}
export interface Hook {
  id: string;
  created_at: number;
  updated_at: number;
  source: string;
  event: string | null;
  handler: string;
  on_change: boolean | null;
  snooze: number | null;
  enabled?: boolean;
  disabled_reason?: string;
  filter?: Record<string, unknown>;
  concurrency?: number;
  rate?: number;
  retry_schedule?: number[];
  config: Record<string, unknown>;
}
export interface Page<Item> {
  data: Item[];
  next: string | null;
  offset?: string;
}
export interface HourHistory {
  at: number;
  delivered: number;
  failed: number;
  gave_up: number;
  p50_ms: number | null;
  p95_ms: number | null;
}
export interface HookHistory {
  event_hook: { id: string };
  pending: number | null;
  waiting: number | null;
  dead: number | null;
  reason: string | null;
  delivered: number | null;
  failed: number | null;
  gave_up: number | null;
  p50_ms: number | null;
  p95_ms: number | null;
  hours: HourHistory[];
}
export interface History {
  from: number;
  to: number;
  hour_seconds: number;
  data: HookHistory[];
}
export interface SentRequest {
  method: string;
  url: string;
  address: string | null;
  headers: Record<string, string>;
}
export interface Attempt {
  attempt: number;
  at: number;
  status: number | null;
  latency_ms: number;
  error: string | null;
  response?: string | null;
  request?: SentRequest | null;
}
export type DeliveryState = 'pending' | 'waiting' | 'delivered' | 'dead';
export interface Delivery {
  id: string;
  event_hook: { id: string };
  event_id: string;
  source: string;
  event: string;
  state: DeliveryState;
  attempts: number;
  status: number | null;
  latency_ms: number | null;
  error: string | null;
  response: string | null;
  created_at: number | null;
  finished_at: number | null;
  next_attempt_at: number | null;
  payload: Record<string, unknown> | null;
  history?: Attempt[];
}
export interface DeliveryPage extends Page<Delivery> {
  looked: number;
  complete: boolean;
}
export interface EventInfo {
  fields: string[];
  unique?: string[];
  description?: string;
}
export type Sources = Record<string, Record<string, EventInfo>>;
export interface TestResult {
  data: Record<string, unknown>;
  result: boolean | { error: string } | { body: string; headers: Record<string, string>; status: number };
}
export interface StoredEvent {
  id: string;
  source: string;
  event: string;
  at: number;
  payload: Record<string, unknown> | null;
}
export interface Received {
  id: string;
  event_hook: { id: string } | null;
  at: number;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | null;
  body_cut: boolean;
  bytes: number;
  signature: { standard: SignatureState; kong: SignatureState; reason: string | null };
}
export type SignatureState = 'valid' | 'invalid' | 'absent' | 'unknown';
/** Rows of the stream. */
export interface EventNotice {
  id: string;
  source: string;
  event: string;
  at: number;
  hooks: number;
  data: Record<string, unknown> | null;
  size?: number;
}
export interface DeliveryNotice {
  id: string;
  event_hook: { id: string };
  source: string;
  event: string;
  at: number;
  state: DeliveryState;
  attempts: number;
  status: number | null;
  latency_ms: number | null;
  error: string | null;
}
export interface SkippedNotice {
  events: number;
  deliveries: number;
}
export interface ReplayJob {
  id: string;
  state: 'counting' | 'ready' | 'running' | 'stopped' | 'done' | 'failed';
  total: number | null;
  replayed: number;
  passed_over: number;
  delivered: number;
  failed: number;
  looked: number;
  error: string | null;
  created_at: number;
  finished_at: number | null;
  query: Record<string, unknown>;
}
export interface PluginPoint {
  at: number;
  events_per_second: number;
  errors: number;
  timeouts: number;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  calls_per_event: number | null;
}
export interface PluginSeries {
  plugin: string;
  phase: string;
  points: PluginPoint[];
}
export interface ServerWorker {
  slot: number;
  pid: number | null;
  state: string;
  started_at: number | null;
  connections: number | null;
  rss_bytes: number | null;
  loop_delay_ms: number | null;
  events: number | null;
}
export interface PluginServer {
  state: string;
  pid: number;
  started_at: number;
  plugins: { name: string; version: string; priority: number; protocol: string; phases: string[] }[];
  failures: { spec: string; message: string; stack: string | null }[];
  workers: ServerWorker[];
  restarts: Record<string, number>;
  waiting_connections: number;
  instances: number;
  unknown_instances: number;
}
export interface PluginError {
  at: number;
  plugin: string;
  phase: string;
  worker: number;
  message: string;
  stack: string | null;
}
export type PluginsAnswer =
  | { server: null; reason: string }
  | {
      server: PluginServer;
      series: { every_seconds: number; plugins: PluginSeries[] };
      errors: PluginError[];
      reason: null;
    };
export interface StoreAnswer {
  kind: string;
  durable: boolean;
  healthy: boolean;
  version: string;
  folder: string | null;
  size_bytes: number | null;
  size_reason?: string;
  delivering: boolean;
  lease: { owner: string | null; epoch: number | null; until: number | null; mine: boolean };
  unfinished: number | null;
  oldest_unfinished_at: number | null;
  lag_seconds: number | null;
  lag_reason: string | null;
  watcher: { watching: boolean; kong: string | null; reason: string | null };
  nodes: null;
  nodes_reason: string;
  retention: { age_seconds: number; events: number };
}
