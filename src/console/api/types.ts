import type {
  AttemptAnswer,
  DeliveryAnswer,
  DeliveryPageAnswer,
  EventInfoAnswer,
  HistoryAnswer,
  HookAnswer,
  HookHistoryAnswer,
  PastEventAnswer,
  ReceivedAnswer,
  ReplayJobAnswer,
  SessionAnswer,
} from '../../event-hooks/admin/answers.ts';
import type {
  PluginsAnswer as PluginsState,
  StoreAnswer as StoreState,
} from '../../event-hooks/admin/plugin-answers.ts';

/** What the API answers: the types of its own schemas. */
export type Session = SessionAnswer;
export type HookHistory = HookHistoryAnswer;
export type History = HistoryAnswer;
export type Attempt = AttemptAnswer;
export type SentRequest = NonNullable<AttemptAnswer['request']>;
export type Delivery = DeliveryAnswer;
export type DeliveryPage = DeliveryPageAnswer;
export type StoredEvent = PastEventAnswer;
export type Received = ReceivedAnswer;
export type SignatureState = ReceivedAnswer['signature']['kong'];
export type ReplayJob = ReplayJobAnswer;
export type DeliveryState = DeliveryAnswer['state'];
export type Hook = HookAnswer;
export interface Page<Item> {
  data: Item[];
  next: string | null;
  offset?: string;
}
export type EventInfo = EventInfoAnswer;
export type Sources = Record<string, Record<string, EventInfo>>;
export interface TestResult {
  data: Record<string, unknown>;
  result: boolean | { error: string } | { body: string; headers: Record<string, string>; status: number };
}
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
export type PluginsAnswer = PluginsState;
export type PluginServer = NonNullable<PluginsState['server']>;
export type ServerWorker = PluginServer['workers'][number];
export type PluginSeries = NonNullable<PluginsState['series']>['plugins'][number];
export type PluginPoint = PluginSeries['points'][number];
export type PluginError = PluginsState['errors'][number];
export type StoreAnswer = StoreState;
