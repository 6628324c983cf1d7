import type { PendingCall } from './pending-call.ts';

/**
 * The calls of one event that have not settled, in the order in which the plugin made them. Kong answers in that order, and a
 * plugin can see it: calls settle in it, however their answers have come. Where one answer settles several, each has its say
 * before the next one settles, as it has where the answers come one by one.
 */
export interface AnswerOrder {
  /** The next call settles in a moment. */
  releasing: boolean;
  firstUnsettled: PendingCall | null;
  lastUnsettled: PendingCall | null;
}
