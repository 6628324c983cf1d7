import type { ArgumentsMessage, ResultMessage } from '../../wire/protobuf/index.ts';
import type { Phase, Protocol } from '../names/phases.ts';
import type { KongVersion } from '../names/versions.ts';

/**
 * How a call is made over one protocol.
 *
 * - `getter`: one call whose answer is waited for.
 * - `setter`, `log`: one call whose answer carries nothing; it resolves at once.
 * - `exit`: the last call of the event; Kong never answers it.
 * - `composed`: made here from other functions of the catalogue.
 * - `absent`: neither Kong's service nor a composition offers it.
 */
export type Travel = 'getter' | 'setter' | 'log' | 'exit' | 'composed' | 'absent';

/** The rule that checks an argument before anything is sent; `argument-checks.ts` has the rules. */
export type CheckName =
  | 'text'
  | 'headerName'
  | 'headerValue'
  | 'headers'
  | 'maximum'
  | 'status'
  | 'exitStatus'
  | 'errorStatus'
  | 'exitBody'
  | 'errorMessage'
  | 'scheme'
  | 'path'
  | 'method'
  | 'query'
  | 'bytes'
  | 'form'
  | 'upstream'
  | 'port'
  | 'retries'
  | 'timeout'
  | 'depth'
  | 'flag'
  | 'fileSize'
  | 'consumerId'
  | 'record'
  | 'json'
  | 'ctxKey'
  | 'setCtxKey'
  | 'serializeKey'
  | 'serializeOptions'
  | 'logValues'
  | 'clientVerify'
  | 'memoryUnit';

/** One argument of a function. */
export interface ArgumentSpec {
  /** The name in the TypeScript signature. */
  readonly name: string;
  /** The TypeScript type: the signatures that authors see and the reference page are made of it. */
  readonly type: string;
  readonly check: CheckName;
  readonly optional?: boolean;
  /** True when the argument takes all that follow (`...values`). */
  readonly rest?: boolean;
}

/** Which conversion makes a result the same JavaScript value over both protocols; `results.ts` has them. */
export type ResultKind =
  | 'void'
  | 'text'
  | 'number'
  | 'boolean'
  | 'value'
  | 'headers'
  | 'query'
  | 'bytes'
  | 'rawBody'
  | 'captures'
  | 'consumer'
  | 'credential'
  | 'route'
  | 'service'
  | 'memoryStats'
  | 'record';

/** What a function resolves with. */
export interface ResultSpec {
  readonly kind: ResultKind;
  /** The TypeScript type, as for an argument. */
  readonly type: string;
  /**
   * The meaning of an empty ProtoBuf message, an empty string and a nil: `null` (absent) or the type's `zero` (`''`,
   * `0`, `false`, an empty object). ProtoBuf:1 cannot tell zero from absent, so MsgPack:1 is read the same way.
   */
  readonly empty: 'null' | 'zero';
}

/** What Kong holds of an exchange: the request with its connection and route, and the response. */
export type Part = 'request' | 'response';

/** How the answer with all headers answers for one of them; `header-lookups.ts` has them. */
export type LookupRule = 'requestHeader' | 'responseHeader';

/**
 * How several calls of a function travel as one call of another, its plural, with the same effect and the same answers (read
 * in Kong 3.9.3; the request's headers are measured).
 *
 * - `field`: a setter whose name and value are one field of the plural's table.
 * - `fields`: the plural itself, whose table takes the fields of others.
 * - `lookup`: a getter whose answer is looked up in the plural's.
 */
export type Merging =
  | {
      readonly as: 'field' | 'fields';
      /** The plural's wire name. */
      readonly into: string;
      /** Names, in lower case with dashes, that are set by themselves: the forms differ, or Kong may raise. */
      readonly alone: readonly string[];
    }
  | {
      readonly as: 'lookup';
      readonly into: string;
      readonly rule: LookupRule;
      /** Phases in which the rule holds. */
      readonly phases: readonly Phase[];
    };

/** How a function is made from others, if Kong does not offer it. */
export interface Composition {
  /** Wire names that it calls. */
  readonly from: readonly string[];
  /** Phases in which all of them work and the answer is Kong's own. */
  readonly phases: readonly Phase[];
  /** The difference from Kong's own function, null if there is none. */
  readonly note: string | null;
}

/** A function that makes the same call as another and does not convert the answer. */
export interface RawTwin {
  readonly name: string;
  readonly description: string;
  readonly details: readonly string[];
  /** Its only parameter, as TypeScript. */
  readonly options: string;
  /** The type of its result, as TypeScript. */
  readonly type: string;
}

/** How a function is made in the log phase. */
export type MadeInLog = Omit<Composition, 'phases'>;

/** How a function of Kong's ProtoBuf:1 service travels over it. */
export interface ProtobufMessages {
  readonly arguments: ArgumentsMessage;
  readonly result: ResultMessage;
}

interface OnProtobuf {
  /** How it travels over ProtoBuf:1. */
  readonly protobuf: ProtobufMessages;
  readonly travel: Readonly<Record<Protocol, Travel>>;
  /**
   * What the answer is made of, where it comes from Kong and nginx alone, cannot change during a phase but by the plugin's own
   * setters of that part, and cannot fail in a phase where it has worked once with the same arguments, whatever the request (read
   * in Kong 3.9.3; the one header that can is never asked for, see methods.ts). Only such calls are asked for before the
   * plugin asks. Getters of what clients can make unencodable (get_uri_captures, get_query_arg, get_forwarded_port) or
   * other plugins have left (get_consumer, get_credential, ctx.shared, get_ctx) and of what time changes (get_var) are not.
   */
  readonly steady?: Part;
  readonly composed?: Composition;
}
interface OffProtobuf {
  readonly protobuf: null;
  readonly travel: { readonly protobuf: 'absent'; readonly msgpack: Travel };
  /** Calls are asked for ahead over ProtoBuf:1 alone. */
  readonly steady?: never;
  readonly composed?: Composition;
}
interface ComposedOnProtobuf extends Omit<OffProtobuf, 'travel'> {
  readonly travel: { readonly protobuf: 'composed'; readonly msgpack: Travel };
  readonly composed: Composition;
}

/** A function that Kong's ProtoBuf:1 service lacks is absent there, or composed of others. The compiler asks how. */
type Way = OnProtobuf | OffProtobuf | ComposedOnProtobuf;

/** One function as a catalogue file declares it, under its camelCase name. */
export type FunctionSpec = Facts & Way;

interface Facts {
  readonly name: string;
  readonly description: string;
  /** More about it, for authors: limits, what else can happen, errors that it rejects with. A sentence per element. */
  readonly details?: readonly string[];
  readonly example: string;
  /** The first version of Kong that has it (read in the sources of Kong). Default: all that are served. */
  readonly since?: KongVersion;
  readonly arguments: readonly ArgumentSpec[];
  readonly result: ResultSpec;
  /** Phases in which Kong 3.9.3 accepts the call on the wire (measured; the same over both protocols). */
  readonly phases: readonly Phase[];
  /** The only part that a setter reads or changes, where there is one: nothing else can see it. Default: it may change anything. */
  readonly changes?: Part;
  /** True for a function that answers and sets something all the same. */
  readonly sets?: true;
  /** How several calls become one. Default: each is made by itself. */
  readonly merging?: Merging;
  /** The same call under another name, whose answer is handed on as Kong wrote it. */
  readonly raw?: RawTwin;
  /**
   * How it is made in the log phase, if Kong's own function raises there. A call that raises there leaves the request
   * behind for handlers of later requests to read (measured on Kong 3.9.3). So such a call is never sent.
   */
  readonly inLog?: MadeInLog;
  /** A protocol over which it is refused in the log phase, because Kong may be unable to send its answer there. */
  readonly notInLog?: Protocol;
  /**
   * True if the function raises in the log phase of a connection that is not an HTTP request (read in Kong 3.9.3).
   * There the call is refused, and nothing is sent before the kind of connection is known.
   */
  readonly httpLog?: boolean;
}

/** The functions of one path such as `kong.request`, by camelCase name. */
export type NamespaceSpec = Readonly<Record<string, FunctionSpec>>;

/** One function of Kong's PDK. */
export interface FunctionRow {
  /** Kong's name, as on the wire: `kong.request.get_header`. */
  readonly name: string;
  /** The camelCase name on the same path: `kong.request.getHeader`. */
  readonly path: string;
  readonly description: string;
  readonly details: readonly string[];
  readonly example: string;
  /** The first version of Kong that has it, null if all supported versions do. */
  readonly since: KongVersion | null;
  readonly arguments: readonly ArgumentSpec[];
  readonly result: ResultSpec;
  /** How it travels over ProtoBuf:1, null if the service lacks it. */
  readonly protobuf: ProtobufMessages | null;
  /** Phases in which Kong accepts the call itself on the wire, per protocol. */
  readonly phases: Readonly<Record<Protocol, readonly Phase[]>>;
  /** Phases in which a plugin can call it: on the wire or, if it is composed, through its parts. */
  readonly offered: Readonly<Record<Protocol, readonly Phase[]>>;
  readonly travel: Readonly<Record<Protocol, Travel>>;
  /** What the answer is made of, where it may be asked for before the plugin asks, see `FunctionSpec`. Default: it may not. */
  readonly steady?: Part | null;
  /** The only part that a setter reads or changes, see `FunctionSpec`. */
  readonly changes?: Part | null;
  /** Whether it answers and sets something all the same. Default: no. */
  readonly sets?: boolean;
  /** How several calls become one. Default: each is made by itself. */
  readonly merging?: Merging | null;
  /** Set where `travel` is `composed` over at least one protocol. */
  readonly composed: Composition | null;
  /** The same call under another name, see `FunctionSpec`. */
  readonly raw: RawTwin | null;
  /** Set where it is composed in the log phase alone, see `FunctionSpec`. Default: not. */
  readonly inLog?: MadeInLog | null;
  /** Whether it is for HTTP requests alone in the log phase, see `FunctionSpec`. Default: no. */
  readonly httpLog?: boolean;
}
