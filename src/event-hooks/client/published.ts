declare const none: unique symbol;

/**
 * The events of a project, for the compiler. Extend it where they are published, and `eventHooks.emit` takes no others:
 *
 * ```ts
 * declare module 'kong-ts' {
 *   interface PublishedEvents {
 *     'my-plugin': { rejected: 'reason' | 'path' };
 *   }
 * }
 * ```
 *
 * Without an extension it takes any names. What `publish` returns knows its event and its fields by itself.
 */
export interface PublishedEvents {
  readonly [none]?: never;
}

type Named = Extract<keyof PublishedEvents, string>;

/** Sources whose events are known; any name where none is. */
export type SourceName = [Named] extends [never] ? string : Named;

/** The events of a source. */
export type EventName<Source extends string> = Source extends Named
  ? Extract<keyof PublishedEvents[Source], string>
  : string;

/** The fields of an event. */
export type FieldName<Source extends string, Event extends string> = Source extends Named
  ? Event extends keyof PublishedEvents[Source]
    ? Extract<PublishedEvents[Source][Event], string>
    : string
  : string;
