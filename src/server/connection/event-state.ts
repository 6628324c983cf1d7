/**
 * What an event is doing:
 *
 *     running ──last call──► asked ──answer──► answered
 *      │  ▲ ▲                  └──returned──► awaited
 *      │  │ └─exit refused─ speaking ◄──► leaving       (speaking: one of the last words is being said)
 *      │  └──────────────────last words──────┘
 *      └──returned, work goes on──► held                (leavingHeld, speakingHeld: the same while leaving)
 *
 *     any of them ──all is done, exit, failure, time over, Kong gone──► ended
 *
 * Only while it is `running`, `held` or `speaking` something may be sent. `asked` and `awaited` have told Kong the end.
 */
export type EventState =
  | 'running'
  | 'held'
  | 'leaving'
  | 'leavingHeld'
  | 'speaking'
  | 'speakingHeld'
  | 'asked'
  | 'awaited'
  | 'answered'
  | 'ended';
